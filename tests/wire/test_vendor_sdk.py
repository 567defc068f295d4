"""The vendor's own SDK, unmodified, against our routes on a real port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmetastudio.v1 import (
    CommitShortJobRequest,
    CreateShortJobReq,
    CreateShortJobRequest,
    MetaStudioClient,
    ShortJobType,
    ShowShortJobRequest,
)

from tests.wire.conftest import Served
from tests.wire.results import noisy_result
from voicegauge.jobs.job import JobState

SAMPLE = Path(__file__).with_name("create_sample.py")

# The SDK's own use of what newer Pythons will drop is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:huaweicloudsdkcore")


def client(served: Served, **changes: str) -> Any:
    values = {
        "ak": served.site.credential.access_key,
        "sk": served.site.credential.secret_key,
        "project_id": served.site.project.project_id,
        **changes,
    }
    return MetaStudioClient.new_builder().with_credentials(BasicCredentials(**values)).with_endpoint(served.url).build()


def create(sdk: Any, **fields: Any) -> Any:
    body = CreateShortJobReq(job_type=ShortJobType.VOICE_ASSESS, language=fields.pop("language", None))
    return sdk.create_short_job(CreateShortJobRequest(body=body, **fields))


def upload(url: str, content: bytes = b"zip") -> None:
    assert requests.put(url, data=content, headers={"Content-Type": "application/zip"}, timeout=30).status_code == 200


def refused(call: Any) -> ClientRequestException:
    with pytest.raises(ClientRequestException) as caught:
        call()
    return caught.value


def test_a_job_from_create_to_verdict(served: Served) -> None:
    sdk = client(served)
    created = create(sdk, language="EN")
    upload(created.data_uploading_url)
    committed = sdk.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    assert committed.status_code == 200
    shown = sdk.show_short_job(ShowShortJobRequest(job_id=created.job_id))
    assert (shown.job_id, shown.state, shown.assess_result) == (created.job_id, JobState.WAITING.value, None)

    served.site.jobs.set(created.job_id, state=JobState.SUCCEED, result=noisy_result())
    shown = sdk.show_short_job(ShowShortJobRequest(job_id=created.job_id))
    assert shown.state == "SUCCEED"
    assert isinstance(shown.create_time, int)
    result = shown.assess_result
    assert (result.snr.status, result.snr.actual, result.snr.expected) == (1, "29.96 dB", "≥ 30 dB")
    assert result.snr.suggestion == "请关掉风扇。"
    assert result.snr.suggestion_en == "Switch the fan off."
    assert result.reverb.status == 2
    assert [result.speed.status, result.sound.status, result.dnsmos_ovrl.status, result.dnsmos_bak.status] == [
        0,
        1,
        0,
        0,
    ]
    assert result.suggestion == "Loudness and noise are out of range."


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_is_one_the_sdk_knows(served: Served, state: JobState) -> None:
    sdk = client(served)
    job_id = create(sdk).job_id
    served.site.jobs.set(job_id, state=state, failure_code="truncated_archive", failure_reason="cut short")
    shown = sdk.show_short_job(ShowShortJobRequest(job_id=job_id))
    assert shown.state == state.value
    failed = ("MSS.20020012", "cut short") if state is JobState.FAILED else (None, None)
    assert (shown.job_failed_code, shown.job_failed_reason) == failed


def test_the_app_user_id_goes_with_every_call(served: Served) -> None:
    sdk = client(served)
    created = create(sdk, x_app_user_id="user-7")
    assert served.site.jobs.jobs[created.job_id].app_user_id == "user-7"
    upload(created.data_uploading_url)
    sdk.commit_short_job(CommitShortJobRequest(job_id=created.job_id, x_app_user_id="user-7"))
    sdk.show_short_job(ShowShortJobRequest(job_id=created.job_id, x_app_user_id="user-7"))


def test_an_error_reaches_the_caller_with_code_message_and_request_id(served: Served) -> None:
    sdk = client(served)
    job_id = create(sdk).job_id
    error = refused(lambda: sdk.commit_short_job(CommitShortJobRequest(job_id=job_id)))
    assert (error.status_code, error.error_code) == (400, "VOICEGAUGE.NOTHING_UPLOADED")
    assert job_id in error.error_msg
    assert len(error.request_id) == 32


def test_a_wrong_secret(served: Served) -> None:
    error = refused(lambda: create(client(served, sk="wrong")))
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")
    assert "verify aksk signature fail, canonicalRequest:POST|/v1/" in error.error_msg
    assert f"|host:127.0.0.1:{served.port}|user-agent:" in error.error_msg


def test_another_project(served: Served) -> None:
    error = refused(lambda: create(client(served, project_id="0" * 32)))
    assert (error.status_code, error.error_code) == (400, "MSS.00010009")


def test_a_bad_language(served: Served) -> None:
    error = refused(lambda: create(client(served), language="FR"))
    assert (error.status_code, error.error_code) == (400, "MSS.00000003")


def test_an_endpoint_alone_and_no_project_id(served: Served) -> None:
    values = BasicCredentials(served.site.credential.access_key, served.site.credential.secret_key)
    sdk = MetaStudioClient.new_builder().with_credentials(values).with_endpoint(served.url).build()
    error = refused(lambda: create(sdk))
    assert (error.status_code, error.error_code) == (400, "MSS.00010009")


def with_region(served: Served, project_id: str | None, access_key: str = "") -> Any:
    credentials = BasicCredentials(
        access_key or served.site.credential.access_key, served.site.credential.secret_key, project_id
    ).with_iam_endpoint(served.url)
    region = Region("cn-north-4", served.url)
    return MetaStudioClient.new_builder().with_credentials(credentials).with_region(region).build()


def test_a_region_object(served: Served) -> None:
    assert create(with_region(served, served.site.project.project_id)).job_id in served.site.jobs.jobs


def test_a_region_object_and_no_project_id(served: Served) -> None:
    assert create(with_region(served, None)).job_id in served.site.jobs.jobs


def test_no_project_id_and_an_unknown_key(served: Served) -> None:
    with pytest.raises(SdkException, match="ak NEVERWAS not exist"):
        create(with_region(served, None, "NEVERWAS"))


def test_the_vendor_page_s_sample_with_nothing_but_its_environment(served: Served) -> None:
    environment = {
        **os.environ,
        "CLOUD_SDK_AK": served.site.credential.access_key,
        "CLOUD_SDK_SK": served.site.credential.secret_key,
        "HUAWEICLOUD_SDK_REGION_METASTUDIO_CN_NORTH_4": served.url,
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": served.url,
    }
    done = subprocess.run([sys.executable, str(SAMPLE)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["job_id"] in served.site.jobs.jobs
