import pytest

from voicegauge.errors import UsageError
from voicegauge.jobs import errors


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_name_the_job_and_say_what_to_do(name: str) -> None:
    details = {
        "AlreadyEndedError": ["FAILED"],
        "CannotRetryError": ["its upload is gone"],
        "UploadTooLargeError": ["it is too large; split it"],
    }
    error = getattr(errors, name)("4fb2", *details.get(name, []))
    assert issubclass(type(error), UsageError)
    assert error.job_id == "4fb2"
    assert "4fb2" in str(error)
    assert ";" in str(error)
