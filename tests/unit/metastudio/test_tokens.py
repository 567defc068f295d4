"""The token call, and what a token opens."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.asgi import Answer, call
from tests.wire.double import NOW_S, Clock, Double, signed_headers
from voicegauge.identity.directory import Project
from voicegauge.identity.recent import KEEP_S
from voicegauge.identity.tokens import issue_token
from voicegauge.metastudio.keystone import BadRequestError, TokenRequest, issued_token, read_token_request

GOLDEN = Path(__file__).parents[2] / "wire" / "golden"
TOKENS = "/v3/auth/tokens"
CREATE = b'{"job_type": "VOICE_ASSESS"}'
MISSING = object()


def document(*, name: Any = "AKTEST", password: Any = "secret", scope: Any = MISSING) -> dict[str, Any]:  # noqa: S107
    user = {"name": name, "password": password, "domain": {"name": "my-account"}}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
    return {"auth": auth if scope is MISSING else {**auth, "scope": scope}}


def read(asked: Any) -> TokenRequest:
    return read_token_request(json.dumps(asked).encode())


class Client:
    """Asks for tokens and calls with them."""

    def __init__(self, site: Double, clock: Clock) -> None:
        self.site = site
        self.clock = clock
        self.access_key = self.site.credential.access_key
        self.secret_key = self.site.credential.secret_key
        self.project_id = self.site.project.project_id

    def ask(self, *, password: str = "", name: str = "", scope: Any = MISSING, query: str = "") -> Answer:
        body = document(name=name or self.access_key, password=password or self.secret_key, scope=scope)
        return call(self.site.app, "POST", TOKENS + query, body=json.dumps(body).encode())

    def token(self) -> str:
        return self.ask().headers["x-subject-token"]

    def get(self, target: str, headers: dict[str, str]) -> Answer:
        return call(self.site.app, "GET", target, headers=headers)

    def create(self, headers: dict[str, str], target: str = "") -> Answer:
        return call(self.site.app, "POST", target or self.site.short_jobs, headers=headers, body=CREATE)


@pytest.fixture
def client(site: Double, clock: Clock) -> Client:
    return Client(site, clock)


def refused(answer: Answer) -> str:
    """Check that a call without a right token is answered in the gateway's form; return the vendor's words."""
    body = answer.json()
    assert (answer.status, body["error_code"], set(body)) == (
        401,
        "APIGW.0301",
        {"error_code", "error_msg", "request_id"},
    )
    intro, _, words = body["error_msg"].partition(": ")
    assert intro == "Incorrect IAM authentication information"
    return str(words)


def keystone(answer: Answer) -> tuple[int, str]:
    """Check that an error has Keystone's form; return its code and message."""
    error = answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message", "title"}
    assert (answer.status, error["title"]) in ((400, "Bad Request"), (401, "Unauthorized"))
    assert error["code"] == answer.status
    assert "x-subject-token" not in answer.headers
    return answer.status, error["message"]


def test_golden() -> None:
    token = issue_token("AKTEST", "SKTEST", now_s=NOW_S)
    asked = read(document(scope={"project": {"name": "cn-north-4"}}))
    body = issued_token(token, Project("p123", "default", "d456", 0), asked)
    assert body == json.loads((GOLDEN / "token_issued.json").read_text())


class TestIssue:
    def test_the_token_is_in_the_header_and_the_rest_in_the_body(self, client: Client) -> None:
        answer = client.ask()
        assert answer.status == 201
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"]
        assert client.get("/v3/projects", {"X-Auth-Token": answer.headers["x-subject-token"]}).status == 200
        token = answer.json()["token"]
        assert (token["issued_at"], token["expires_at"]) == (
            "2025-11-19T01:02:03.000000Z",
            "2025-11-20T01:02:03.000000Z",
        )
        assert token["user"]["name"] == client.access_key
        assert answer.headers["x-subject-token"] not in answer.content.decode()

    @pytest.mark.parametrize("query", ["?nocatalog=true", "?nocatalog=", "?x=1"])
    def test_the_catalog_is_empty_either_way(self, client: Client, query: str) -> None:
        assert client.ask(query=query).json() == client.ask().json()
        assert client.ask().json()["token"]["catalog"] == []

    def test_the_scope_is_the_key_s_project_by_id_by_name_and_by_itself(self, client: Client) -> None:
        def project(scope: Any) -> tuple[str, str]:
            project = client.ask(scope=scope).json()["token"]["project"]
            return project["id"], project["name"]

        own = client.project_id
        assert project(MISSING) == project(None) == project({"project": {"id": own}}) == (own, "cn-north-4")
        assert project({"project": {"name": "cn-north-4"}}) == (own, "cn-north-4")
        assert project({"project": {"name": "cn-east-3"}}) == (own, "cn-east-3")
        assert project({"project": {"name": "区域", "domain": {"name": "x"}}}) == (own, "区域")

    def test_the_account_s_name_is_whatever_it_was_called(self, client: Client) -> None:
        token = client.ask().json()["token"]
        domain = {"id": client.site.project.domain_id, "name": "my-account"}
        assert token["user"]["domain"] == token["project"]["domain"] == domain

    def test_another_project_is_refused(self, client: Client) -> None:
        other = client.site.directory.create_project("other").project_id
        status, message = keystone(client.ask(scope={"project": {"id": other}}))
        assert status == 401
        assert client.project_id in message

    def test_each_token_is_good_by_itself(self, client: Client) -> None:
        first = client.token()
        client.clock.now_s += 60
        second = client.token()
        assert first != second
        for token in (first, second):
            assert client.create({"X-Auth-Token": token}).status == 200


class TestWrongPassword:
    def test_name_and_password_are_not_told_apart(self, client: Client) -> None:
        wrong = keystone(client.ask(password="wrong"))
        assert wrong[0] == 401
        assert wrong == keystone(client.ask(name="NEVERWAS")) == keystone(client.ask(name="用户\0"))

    @pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + " ", str.swapcase, lambda s: "密码"])
    def test_nearly_right_is_wrong(self, client: Client, change: Any) -> None:
        assert keystone(client.ask(password=change(client.secret_key)))[0] == 401

    def test_another_key_s_secret_is_wrong(self, client: Client) -> None:
        other = client.site.directory.create_key(client.project_id)
        assert keystone(client.ask(password=other.secret_key))[0] == 401

    def test_a_revoked_key_gets_none(self, client: Client) -> None:
        client.site.directory.revoke_key(client.access_key)
        assert keystone(client.ask())[0] == 401

    def test_five_in_a_row_lock_the_key_for_signatures_too(self, client: Client) -> None:
        token = client.token()
        for _ in range(5):
            keystone(client.ask(password="wrong"))
        status, message = keystone(client.ask())
        assert (status, "locked for 300 s" in message) == (401, True)
        signed = signed_headers(client.site.credential, "GET", "/v3/projects")
        assert refused(client.get("/v3/projects", signed)).startswith("AK access failed to reach the limit,forbidden")
        assert client.get("/v3/projects", {"X-Auth-Token": token}).status == 200
        client.clock.now_s += 300
        assert client.ask().status == 201

    def test_wrong_signatures_and_passwords_are_counted_together(self, client: Client) -> None:
        signed = signed_headers(client.site.credential, "GET", "/v3/projects")
        for _ in range(4):
            refused(client.get("/v3/auth/domains", signed))
        keystone(client.ask(password="wrong"))
        assert "locked" in keystone(client.ask())[1]

    def test_a_right_one_breaks_the_row(self, client: Client) -> None:
        for _ in range(2):
            for _ in range(4):
                keystone(client.ask(password="wrong"))
            assert client.ask().status == 201

    def test_wrong_tokens_lock_nothing(self, client: Client) -> None:
        for _ in range(6):
            refused(client.get("/v3/projects", {"X-Auth-Token": client.token()[:-1] + "x"}))
        assert client.ask().status == 201


def without(path: str) -> dict[str, Any]:
    """Build a whole document and leave one member out."""
    whole = document(scope={"project": {"id": "p"}})
    *parents, last = path.split(".")
    parent = whole
    for name in parents:
        parent = parent[name]
    del parent[last]
    return whole


class TestMalformed:
    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b"\xff", b"[" * 100_000, b"1" * 10_000])
    def test_no_json_object(self, client: Client, body: bytes) -> None:
        assert keystone(call(client.site.app, "POST", TOKENS, body=body))[0] == 400

    @pytest.mark.parametrize(
        ("path", "named"),
        [
            ("auth", "auth.identity.methods"),
            ("auth.identity", "auth.identity.methods"),
            ("auth.identity.methods", "auth.identity.methods"),
            ("auth.identity.password", "auth.identity.password.user.name"),
            ("auth.identity.password.user", "auth.identity.password.user.name"),
            ("auth.identity.password.user.name", "auth.identity.password.user.name"),
            ("auth.identity.password.user.password", "auth.identity.password.user.password"),
            ("auth.identity.password.user.domain", "auth.identity.password.user.domain.name"),
            ("auth.identity.password.user.domain.name", "auth.identity.password.user.domain.name"),
            ("auth.scope.project", "auth.scope"),
            ("auth.scope.project.id", "auth.scope"),
        ],
    )
    def test_what_is_left_out_is_named(self, path: str, named: str) -> None:
        with pytest.raises(BadRequestError, match=f"^{named} must be "):
            read(without(path))

    @pytest.mark.parametrize(
        "asked",
        [
            document(name=""),
            document(name=7),
            document(password=""),
            document(password=["SKTEST"]),
            document(password="\ud800"),
            document(scope={}),
            document(scope="project"),
            document(scope={"domain": {"name": "my-account"}}),
            document(scope={"project": "p"}),
            document(scope={"project": {"id": ""}}),
            document(scope={"project": {"name": None}}),
            document(scope={"project": {"name": "\udfff"}}),
        ],
    )
    def test_what_is_of_another_kind(self, asked: Any) -> None:
        with pytest.raises(BadRequestError):
            read(asked)

    @pytest.mark.parametrize("methods", [["token"], ["password", "totp"], [], "password", {}])
    def test_another_method(self, methods: Any) -> None:
        asked = document()
        asked["auth"]["identity"]["methods"] = methods
        with pytest.raises(BadRequestError, match="password"):
            read(asked)

    @settings(max_examples=30, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.just(["password"]),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(
                        ["auth", "identity", "methods", "password", "user", "name", "domain", "scope", "project", "id"]
                    ),
                    inner,
                )
            ),
            max_leaves=12,
        )
    )
    def test_any_json_is_read_or_refused(self, asked: Any) -> None:
        for each in (asked, {"auth": asked}, {"auth": {**document()["auth"], "scope": asked}}):
            with contextlib.suppress(BadRequestError):
                assert isinstance(read(each), TokenRequest)


class TestUse:
    def test_it_opens_every_call(self, client: Client) -> None:
        headers = {"X-Auth-Token": client.token()}
        created = client.create({**headers, "X-App-UserId": "user-7"})
        assert created.status == 200
        job = client.site.jobs.jobs[created.json()["job_id"]]
        assert job.app_user_id == "user-7"
        upload = {"Content-Type": "application/zip", "Content-Length": "3"}
        assert (
            call(client.site.app, "PUT", created.json()["data_uploading_url"], headers=upload, body=b"zip").status
            == 200
        )
        path = f"{client.site.short_jobs}/{job.job_id}"
        assert client.create(headers, path).status == 200
        assert client.get(path, headers).json()["state"] == "WAITING"
        assert client.get("/v3/projects", headers).json()["projects"][0]["id"] == client.project_id
        assert client.get("/v3/auth/domains", headers).status == 200

    def test_nothing_sent(self, client: Client) -> None:
        for headers in ({}, {"X-Auth-Token": ""}, {"X-Auth-Token": " "}, {"Authorization": " "}):
            assert refused(client.create(headers)).startswith("x-auth-token not found")

    @pytest.mark.parametrize("token", ["x", "MIIF" * 4096, "MIIF" * 4096 + "x", "密"])
    def test_an_unreadable_one(self, client: Client, token: str) -> None:
        assert refused(client.create({"X-Auth-Token": token})).startswith("decrypt token fail")

    def test_one_with_a_wrong_signature(self, client: Client) -> None:
        forged = issue_token(client.access_key, "guessed", now_s=NOW_S).text
        assert refused(client.create({"X-Auth-Token": forged})).startswith("decrypt token fail")

    def test_an_expired_one(self, client: Client) -> None:
        headers = {"X-Auth-Token": client.token()}
        client.clock.now_s += 86399
        assert client.create(headers).status == 200
        client.clock.now_s += 1
        assert refused(client.create(headers)) == "token expires, expires_at: 2025-11-20T01:02:03.000000Z"

    def test_a_revoked_key_s_tokens_end_with_it(self, client: Client) -> None:
        headers = {"X-Auth-Token": client.token()}
        assert client.create(headers).status == 200
        client.site.directory.revoke_key(client.access_key)
        client.clock.now_s += 2 * KEEP_S
        words = refused(client.create(headers))
        assert words.startswith("decrypt token fail")
        assert "revoked" in words

    @pytest.mark.parametrize("header", [{}, {"X-Project-Id": "own"}])
    def test_another_project_in_the_url(self, client: Client, header: dict[str, str]) -> None:
        headers = {"X-Auth-Token": client.token(), **dict.fromkeys(header, client.project_id)}
        answer = client.create(headers, client.site.short_jobs.replace(client.project_id, "0" * 32))
        assert (answer.status, answer.json()["error_code"]) == (400, "MSS.00010009")
        assert client.create(headers).status == 200

    def test_beside_a_signature_the_signature_decides(self, client: Client) -> None:
        good = signed_headers(client.site.credential, "POST", client.site.short_jobs, body=CREATE)
        bad = {**good, "authorization": good["authorization"][:-1] + "x"}
        assert client.create({**good, "X-Auth-Token": "garbage"}).status == 200
        assert refused(client.create({**bad, "X-Auth-Token": client.token()})).startswith("verify aksk signature fail")


def test_no_secret_and_no_token_is_in_a_log_or_an_error(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = client.token()
    answers = [client.ask(password=client.secret_key + "x"), client.ask(scope={"project": {"id": "x"}})]
    answers += [client.create({"X-Auth-Token": token + "x"}), client.create({"X-Auth-Token": token[:-1] + "x"})]

    def broken(*_: object) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(client.site.directory, "project", broken)
    answers += [client.ask(), client.get("/v3/projects", {"X-Auth-Token": token})]
    assert [answer.status for answer in answers] == [401, 401, 401, 401, 500, 500]
    told = caplog.text + "".join(answer.content.decode() for answer in answers)
    assert "the database is away" in caplog.text
    assert client.secret_key not in told
    assert token.rpartition(".")[2][:-1] not in told
