from voicegauge.jobs.job import TRANSITIONS, JobState, may_move


def test_the_life_of_a_job() -> None:
    legal = {f"{old}->{new}" for old in JobState for new in JobState if may_move(old, new)}
    assert legal == {
        "CREATING->WAITING",
        "WAITING->PROCESSING",
        "WAITING->FAILED",
        "PROCESSING->SUCCEED",
        "PROCESSING->FAILED",
    }


def test_an_end_is_final() -> None:
    assert {old for old, _ in TRANSITIONS} == {JobState.CREATING, JobState.WAITING, JobState.PROCESSING}
