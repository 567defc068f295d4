"""The response rules of the vendor's SDKs, one test each, and what a caller can get wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wire.asgi import HOST, Answer, call
from tests.wire.double import NOW_S, Clock, Double, signed_headers
from tests.wire.results import noisy_result
from voicegauge.errors import MachineError
from voicegauge.jobs.job import JobState
from voicegauge.metastudio.authentication import BODY_MAX_BYTES

CREATE = b'{"job_type": "VOICE_ASSESS"}'
JSON = {"Content-Type": "application/json"}
ZIP = {"Content-Type": "application/zip"}


class Client:
    """Signs like the SDKs and calls the application."""

    def __init__(self, site: Double, clock: Clock) -> None:
        self.site = site
        self.clock = clock
        self.short_jobs = self.site.short_jobs

    def __call__(self, method: str, target: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        path, _, query = target.partition("?")
        signed = signed_headers(
            self.site.credential, method, path, query=query, body=body, headers=headers, now_s=self.clock()
        )
        return call(self.site.app, method, target, headers=signed, body=body)

    def create(self, body: bytes = CREATE, *, headers: dict[str, str] | None = None) -> Answer:
        return self("POST", self.short_jobs, body=body, headers={**JSON, **(headers or {})})

    def new_job(self) -> str:
        job_id: str = self.create().json()["job_id"]
        return job_id

    def upload(self, job_id: str, content: bytes = b"zip") -> None:
        job = self.site.jobs.jobs[job_id]
        url = self.site.store.signed_put_url(job.object_key, expires_s=60, base_url=f"http://{HOST}")
        headers = {**ZIP, "Content-Length": str(len(content))}
        assert call(self.site.app, "PUT", url, headers=headers, body=content).status == 200

    def path(self, job_id: str) -> str:
        return f"{self.short_jobs}/{job_id}"


@pytest.fixture
def client(site: Double, clock: Clock) -> Client:
    return Client(site, clock)


def error(answer: Answer) -> tuple[int, str]:
    """Check what every error keeps to; return status and code."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert all(type(value) is str and value for value in body.values())
    assert set(body) == {"error_code", "error_msg"} | ({"request_id"} if body["error_code"][:5] == "APIGW" else set())
    assert body.get("request_id", answer.headers["x-request-id"]) == answer.headers["x-request-id"]
    return answer.status, body["error_code"]


class TestCancel:
    @pytest.mark.parametrize("state", [JobState.CREATING, JobState.WAITING, JobState.PROCESSING])
    def test_a_job_that_has_not_ended_is_ended(self, client: Client, state: JobState) -> None:
        job_id = client.new_job()
        client.site.jobs.set(job_id, state=state)
        answer = client("DELETE", client.path(job_id))
        assert (answer.status, answer.content) == (204, b"")
        shown = client("GET", client.path(job_id)).json()
        assert (shown["state"], shown["job_failed_code"]) == ("FAILED", "VOICEGAUGE.CANCELLED")

    def test_a_job_that_has_ended_keeps_its_end(self, client: Client) -> None:
        job_id = client.new_job()
        client.site.jobs.set(job_id, state=JobState.SUCCEED, result=noisy_result())
        assert error(client("DELETE", client.path(job_id))) == (400, "VOICEGAUGE.ALREADY_ENDED")
        assert client("GET", client.path(job_id)).json()["state"] == "SUCCEED"

    def test_a_job_that_is_not_there(self, client: Client) -> None:
        unknown = "00000000-0000-0000-0000-000000000000"
        assert error(client("DELETE", client.path(unknown))) == (400, "VOICEGAUGE.JOB_NOT_FOUND")

    def test_nobody_cancels_unsigned(self, client: Client) -> None:
        job_id = client.new_job()
        assert call(client.site.app, "DELETE", client.path(job_id)).status == 401
        assert client.site.jobs.jobs[job_id].state is JobState.CREATING


class TestCreate:
    def test_it_answers_with_a_job_id_and_an_upload_url(self, client: Client) -> None:
        answer = client.create()
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert set(body) == {"job_id", "data_uploading_url"}
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["job_id"])
        assert body["data_uploading_url"].startswith(f"http://{HOST}/voicegauge-uploads/")

    def test_the_upload_url_works(self, client: Client) -> None:
        url = client.create().json()["data_uploading_url"]
        assert call(client.site.app, "PUT", url, headers={**ZIP, "Content-Length": "3"}, body=b"abc").status == 200

    def test_the_upload_url_leads_to_where_the_client_came_from(self, client: Client) -> None:
        url = client.create(headers={"Host": "voice.example.org:8443"}).json()["data_uploading_url"]
        assert url.startswith("http://voice.example.org:8443/")

    def test_a_host_that_is_none_is_refused(self, client: Client) -> None:
        assert error(client.create(headers={"Host": "a/b@c"})) == (400, "APIGW.0201")

    @pytest.mark.parametrize(
        ("fields", "language"),
        [({}, "CN"), ({"language": "CN"}, "CN"), ({"language": "EN"}, "EN"), ({"language": None}, "CN")],
    )
    def test_the_language_is_chinese_unless_told(self, client: Client, fields: dict[str, Any], language: str) -> None:
        job_id = client.create(json.dumps({"job_type": "VOICE_ASSESS", **fields}).encode()).json()["job_id"]
        assert client.site.jobs.jobs[job_id].language == language

    def test_the_body_may_have_any_spacing_and_further_fields(self, client: Client) -> None:
        assert client.create(b'{"job_type":"VOICE_ASSESS","x":[1]}\n').status == 200

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'"VOICE_ASSESS"', b"null", b"\xff\xfe\xfa", b"[" * 100_000, b"1" * 10_000]
    )
    def test_a_body_that_is_no_json_object(self, client: Client, body: bytes) -> None:
        assert error(client.create(body)) == (400, "MSS.00000002")

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({}, "job_type"),
            ({"job_type": None}, "job_type"),
            ({"job_type": "voice_assess"}, "job_type"),
            ({"job_type": ["VOICE_ASSESS"]}, "job_type"),
            ({"job_type": "VOICE_ASSESS", "language": "cn"}, "language"),
            ({"job_type": "VOICE_ASSESS", "language": ""}, "language"),
            ({"job_type": "VOICE_ASSESS", "language": ["CN"]}, "language"),
            ({"job_type": "VOICE_ASSESS", "language": "\ud800"}, "language"),
            ({"job_type": "VOICE_ASSESS", "language": "中" * 1000}, "language"),
        ],
    )
    def test_a_parameter_that_breaks_a_rule_is_named(self, client: Client, fields: dict[str, Any], named: str) -> None:
        answer = client.create(json.dumps(fields).encode())
        assert error(answer) == (400, "MSS.00000003")
        assert named in answer.json()["error_msg"]
        assert not client.site.jobs.jobs

    def test_a_body_beyond_the_limit_is_refused(self, client: Client) -> None:
        assert client.create(CREATE.ljust(BODY_MAX_BYTES)).status == 200
        assert error(client.create(CREATE.ljust(BODY_MAX_BYTES + 1))) == (413, "APIGW.0201")


class TestCommit:
    def test_it_answers_with_nothing(self, client: Client) -> None:
        job_id = client.new_job()
        client.upload(job_id)
        answer = client("POST", client.path(job_id), headers=JSON)
        assert (answer.status, answer.content) == (200, b"")
        assert "content-type" not in answer.headers
        assert answer.headers["content-length"] == "0"
        assert client.site.jobs.jobs[job_id].state is JobState.WAITING

    def test_before_the_upload(self, client: Client) -> None:
        assert error(client("POST", client.path(client.new_job()))) == (400, "VOICEGAUGE.NOTHING_UPLOADED")

    def test_a_second_time(self, client: Client) -> None:
        job_id = client.new_job()
        client.upload(job_id)
        client("POST", client.path(job_id))
        assert error(client("POST", client.path(job_id))) == (400, "VOICEGAUGE.ALREADY_COMMITTED")

    def test_an_unknown_job(self, client: Client) -> None:
        answer = client("POST", client.path("0f8fad5b-d9cb-469f-a165-70867728950e"))
        assert error(answer) == (400, "VOICEGAUGE.JOB_NOT_FOUND")


class TestShow:
    def test_a_new_job(self, client: Client) -> None:
        job_id = client.new_job()
        answer = client("GET", client.path(job_id), headers=JSON)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "job_type": "VOICE_ASSESS",
            "job_id": job_id,
            "state": "CREATING",
            "create_time": int(NOW_S),
            "lastupdate_time": int(NOW_S),
        }

    def test_times_are_integer_tokens(self, client: Client) -> None:
        content = client("GET", client.path(client.new_job())).content
        assert re.search(rb'"create_time":\d{10}[,}]', content)
        assert re.search(rb'"lastupdate_time":\d{10}[,}]', content)

    def test_chinese_is_sent_as_it_is(self, client: Client) -> None:
        job_id = client.new_job()
        client.site.jobs.set(job_id, state=JobState.SUCCEED, result=noisy_result())
        assert "请关掉风扇。".encode() in client("GET", client.path(job_id)).content

    @pytest.mark.parametrize(
        "job_id",
        [
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "0F8FAD5B-D9CB-469F-A165-70867728950E",
            "nonsense",
            "%00",
            "%FF",
            "a" * 2000,
            "%7Bjob_id%7D",
        ],
    )
    def test_an_unknown_job(self, client: Client, job_id: str) -> None:
        assert error(client("GET", client.path(job_id))) == (400, "VOICEGAUGE.JOB_NOT_FOUND")

    def test_what_cannot_be_a_job_id_never_reaches_the_database(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.site.jobs, "get", None)
        assert error(client("GET", client.path("%00"))) == (400, "VOICEGAUGE.JOB_NOT_FOUND")

    def test_another_project_s_job_is_as_unknown(self, client: Client) -> None:
        stranger = client.site.jobs.create("another", "CN", None)
        for method in ("GET", "POST"):
            answer = client(method, client.path(stranger.job_id))
            assert error(answer) == (400, "VOICEGAUGE.JOB_NOT_FOUND")
            assert "another" not in answer.content.decode()


class TestProject:
    def test_another_project_in_the_url(self, client: Client) -> None:
        other = client.short_jobs.replace(client.site.project.project_id, "0" * 32)
        assert error(client("POST", other, body=CREATE)) == (400, "MSS.00010009")

    def test_another_project_in_the_header(self, client: Client) -> None:
        assert error(client.create(headers={"X-Project-Id": "0" * 32})) == (400, "MSS.00010009")

    def test_another_project_in_the_url_and_the_right_one_in_the_header(self, client: Client) -> None:
        other = client.short_jobs.replace(client.site.project.project_id, "0" * 32)
        answer = client("POST", other, body=CREATE, headers={"X-Project-Id": client.site.project.project_id})
        assert error(answer) == (400, "MSS.00010009")

    def test_the_same_project_in_the_header(self, client: Client) -> None:
        assert client.create(headers={"X-Project-Id": client.site.project.project_id}).status == 200

    def test_an_sdk_without_a_project_id_is_told_so(self, client: Client) -> None:
        path = client.short_jobs.replace(client.site.project.project_id, "%7Bproject_id%7D")
        answer = client("POST", path, body=CREATE)
        assert error(answer) == (400, "MSS.00010009")
        assert "give the SDK's credentials a project id" in answer.json()["error_msg"]


class TestAuthentication:
    def test_no_signature(self, client: Client) -> None:
        answer = call(client.site.app, "POST", client.short_jobs, headers=JSON, body=CREATE)
        assert error(answer) == (401, "APIGW.0301")
        assert "x-auth-token not found" in answer.json()["error_msg"]

    def test_a_wrong_signature_shows_the_canonical_request(self, client: Client) -> None:
        headers = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE)
        answer = call(client.site.app, "POST", client.short_jobs, headers=headers, body=b"{}")
        assert error(answer) == (401, "APIGW.0301")
        message = answer.json()["error_msg"]
        assert f"verify aksk signature fail, canonicalRequest:POST|{client.short_jobs}/||x-sdk-date:2025" in message

    def test_the_secret_is_in_no_answer(self, client: Client) -> None:
        headers = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE)
        for _ in range(7):
            answer = call(client.site.app, "POST", client.short_jobs, headers=headers, body=b"{}")
            assert client.site.credential.secret_key not in answer.content.decode()
        assert "AK access failed to reach the limit,forbidden" in answer.json()["error_msg"]

    def test_an_unknown_key(self, client: Client) -> None:
        client.site.directory.revoke_key(client.site.credential.access_key)
        answer = client.create()
        assert error(answer) == (401, "APIGW.0301")
        assert f"ak {client.site.credential.access_key} not exist" in answer.json()["error_msg"]

    def test_a_clock_that_is_off(self, client: Client) -> None:
        headers = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE, now_s=NOW_S - 1000)
        answer = call(client.site.app, "POST", client.short_jobs, headers=headers, body=CREATE)
        assert error(answer) == (401, "APIGW.0301")
        assert "server's clock, 20251119T010203Z" in answer.json()["error_msg"]

    @pytest.mark.parametrize("algorithm", ["V11-HMAC-SHA256", "SDK-HMAC-SM3"])
    def test_an_algorithm_the_sdk_never_uses_here(self, client: Client, algorithm: str) -> None:
        headers = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE)
        headers["authorization"] = headers["authorization"].replace("SDK-HMAC-SHA256", algorithm)
        answer = call(client.site.app, "POST", client.short_jobs, headers=headers, body=CREATE)
        assert error(answer) == (401, "APIGW.0301")
        assert f"{algorithm} is not supported" in answer.json()["error_msg"]

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({**JSON, "Host": HOST, "User-Agent": "huaweicloud-usdk-python/3.0"}, id="Python"),
            pytest.param({"User-Agent": "huaweicloud-usdk-go/3.0"}, id="Go"),
            pytest.param({"Host": HOST, "User-Agent": "huaweicloud-usdk-java/3.0"}, id="Java"),
        ],
    )
    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
    def test_each_sdk_signs_its_own_headers(self, client: Client, headers: dict[str, str], content_type: str) -> None:
        headers = {**headers, "X-Project-Id": client.site.project.project_id}
        signed = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE, headers=headers)
        sent = {"content-type": content_type, **signed}
        assert call(client.site.app, "POST", client.short_jobs, headers=sent, body=CREATE).status == 200

    def test_a_long_authorization_is_no_error(self, client: Client) -> None:
        assert client.create(headers={f"X-Header-{number}": "v" for number in range(30)}).status == 200

    def test_a_header_in_utf_8_can_be_signed(self, client: Client) -> None:
        assert client.create(headers={"X-Note": "中文"}).status == 200

    def test_a_header_that_is_no_utf_8_does_no_harm(self, client: Client) -> None:
        signed = signed_headers(client.site.credential, "POST", client.short_jobs, body=CREATE)

        def create_with(name: str, value: bytes) -> Answer:
            return call(client.site.app, "POST", client.short_jobs, headers={**signed, name: value}, body=CREATE)

        assert create_with("x-note", b"\xff\xfe").status == 200
        assert error(create_with("x-app-userid", "用户".encode("gbk"))) == (400, "MSS.00000003")


class TestAppUserId:
    @pytest.mark.parametrize("name", ["X-App-UserId", "X-App-Userid", "x-app-userid"])
    def test_it_is_kept_however_it_is_spelt(self, client: Client, name: str) -> None:
        job_id = client.create(headers={name: "user-7"}).json()["job_id"]
        assert client.site.jobs.jobs[job_id].app_user_id == "user-7"

    def test_it_decides_nothing(self, client: Client) -> None:
        job_id = client.create(headers={"X-App-UserId": "user-7"}).json()["job_id"]
        assert client("GET", client.path(job_id), headers={"X-App-UserId": "user-8"}).status == 200

    def test_its_longest(self, client: Client) -> None:
        assert client.create(headers={"X-App-UserId": "u" * 256}).status == 200

    @pytest.mark.parametrize("value", ["", "u" * 257, "用户", "é", "a\tb"])
    def test_what_it_may_not_be(self, client: Client, value: str) -> None:
        answer = client.create(headers={"X-App-UserId": value})
        assert error(answer) == (400, "MSS.00000003")
        assert "X-App-UserId" in answer.json()["error_msg"]
        job_id = client.new_job()
        for method in ("GET", "POST"):
            again = client(method, client.path(job_id), headers={"X-App-UserId": value})
            assert error(again) == (400, "MSS.00000003")


class TestEnvelope:
    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("GET", "/"),
            ("GET", "/v1/p/voice-training-manage/user/jobs"),
            ("GET", "{short_jobs}"),
            ("PUT", "{short_jobs}"),
            ("DELETE", "{short_jobs}"),
            ("PATCH", "{short_jobs}/0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("POST", "{short_jobs}/"),
            ("GET", "{short_jobs}/0f8fad5b-d9cb-469f-a165-70867728950e/"),
            ("GET", "{short_jobs}//"),
            ("GET", "/v3/auth/tokens"),
            ("POST", "/v3/projects"),
            ("GET", "/v3/projects/"),
            ("GET", "/" + "a" * 5000),
        ],
    )
    def test_no_such_api_and_no_redirect(self, client: Client, method: str, target: str) -> None:
        answer = client(method, target.format(short_jobs=client.short_jobs), body=CREATE)
        assert error(answer) == (404, "APIGW.0101")
        assert "location" not in answer.headers

    def answers(self, client: Client) -> Iterator[Answer]:
        job_id = client.new_job()
        client.upload(job_id)
        yield client.create()
        yield client("GET", client.path(job_id))
        yield client("POST", client.path(job_id))
        yield client("POST", client.path(job_id))
        yield client("GET", "/nowhere")
        yield client("GET", "/v3/projects")
        yield call(client.site.app, "GET", client.path(job_id))
        yield call(client.site.app, "PUT", "/voicegauge-uploads/p/a.zip", headers=ZIP)

    def test_every_answer_has_a_request_id_of_its_own(self, client: Client) -> None:
        ids = [answer.headers["x-request-id"] for answer in self.answers(client)]
        assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
        assert len(set(ids)) == len(ids) == 8

    def test_a_fault_of_ours_is_told_and_logged_under_the_request_id(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("the database is away")

        job_id = client.new_job()
        monkeypatch.setattr(client.site.jobs, "get", broken)
        answer = client("GET", client.path(job_id))
        assert error(answer) == (500, "MSS.00000004")
        assert "database" not in answer.content.decode()
        assert answer.headers["x-request-id"] in answer.json()["error_msg"]
        assert answer.headers["x-request-id"] in caplog.text
        assert "the database is away" in caplog.text

    def test_a_machine_in_trouble_is_told_as_passing_and_logged_in_full(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise MachineError("cannot write /data/jobs: the disk is full")

        monkeypatch.setattr(client.site.jobs, "create", broken)
        answer = client.create()
        assert error(answer) == (503, "VOICEGAUGE.UNAVAILABLE")
        assert "/data" not in answer.content.decode()
        assert answer.headers["x-request-id"] in answer.json()["error_msg"]
        assert "the disk is full" in caplog.text
        assert "Traceback" not in caplog.text

    def test_a_client_that_goes_away_is_no_fault_of_ours(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = call(client.site.app, "POST", client.short_jobs, body=[b'{"job'], hang_up=True)
        assert answer.status == 0
        assert not [record for record in caplog.records if record.levelname == "ERROR"]


class TestIam:
    def test_a_region_has_exactly_the_key_s_project(self, client: Client) -> None:
        client.site.directory.create_project("cn-east-3")
        answer = client("GET", "/v3/projects?name=cn-east-3")
        assert answer.status == 200
        assert answer.json() == {
            "projects": [
                {
                    "id": client.site.project.project_id,
                    "name": "cn-east-3",
                    "domain_id": client.site.project.domain_id,
                    "enabled": True,
                    "is_domain": False,
                    "parent_id": client.site.project.domain_id,
                    "description": "",
                    "links": {},
                }
            ],
            "links": {},
        }

    def test_without_a_name_it_is_the_project_s_own(self, client: Client) -> None:
        assert client("GET", "/v3/projects").json()["projects"][0]["name"] == "cn-north-4"

    def test_the_account(self, client: Client) -> None:
        domains = client("GET", "/v3/auth/domains").json()["domains"]
        assert domains == [{"id": client.site.project.domain_id, "name": "cn-north-4"}]

    @pytest.mark.parametrize("path", ["/v3/projects", "/v3/auth/domains"])
    def test_both_need_a_signature(self, client: Client, path: str) -> None:
        assert error(call(client.site.app, "GET", path)) == (401, "APIGW.0301")
