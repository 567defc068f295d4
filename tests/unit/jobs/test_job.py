from voicegauge.jobs.job import TRANSITIONS, JobState, may_move, workflow_id


def test_the_life_of_a_job() -> None:
    legal = {f"{old}->{new}" for old in JobState for new in JobState if may_move(old, new)}
    assert legal == {
        "CREATING->WAITING",
        "CREATING->FAILED",
        "WAITING->PROCESSING",
        "WAITING->FAILED",
        "PROCESSING->SUCCEED",
        "PROCESSING->FAILED",
        "FAILED->WAITING",
    }


def test_a_verdict_is_final() -> None:
    assert {old for old, _ in TRANSITIONS} == set(JobState) - {JobState.SUCCEED}


def test_each_run_has_a_workflow_of_its_own() -> None:
    assert [workflow_id("4fb2", run) for run in (1, 2, 3)] == ["4fb2", "4fb2~2", "4fb2~3"]
