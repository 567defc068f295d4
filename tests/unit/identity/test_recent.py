from __future__ import annotations

import pytest

from tests.wire.double import Clock
from voicegauge.identity import recent
from voicegauge.identity.directory import Credential
from voicegauge.identity.recent import KEEP_S, NotRememberedError, RecentCredentials

KEY = Credential("KEY", "secret", "project")


class Book:
    """Finds what is in it, and counts the questions."""

    def __init__(self) -> None:
        self.keys = {KEY.access_key: KEY}
        self.questions = 0

    def find(self, access_key: str) -> Credential | None:
        self.questions += 1
        return self.keys.get(access_key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def credentials(book: Book, clock: Clock) -> RecentCredentials:
    return RecentCredentials(book.find, clock)


def test_a_key_at_work_is_asked_for_once_in_a_moment(credentials: RecentCredentials, book: Book, clock: Clock) -> None:
    for step_s in (0.0, 0.5 * KEEP_S, 0.4 * KEEP_S):
        clock.now_s += step_s
        assert credentials.find("KEY") == KEY
    assert book.questions == 1
    clock.now_s += 0.2 * KEEP_S
    assert credentials.find("KEY") == KEY
    assert book.questions == 2


def test_a_revoked_key_ends_with_the_moment(credentials: RecentCredentials, book: Book, clock: Clock) -> None:
    assert credentials.find("KEY") == KEY
    book.keys.clear()
    clock.now_s += 1.01 * KEEP_S
    assert credentials.find("KEY") is None
    assert credentials.find("KEY") is None
    assert book.questions == 3


def test_a_key_that_is_made_is_known_at_once(credentials: RecentCredentials, book: Book) -> None:
    assert credentials.find("NEW") is None
    book.keys["NEW"] = KEY
    assert credentials.find("NEW") == KEY


def test_a_clock_set_back_makes_nothing_last_longer(credentials: RecentCredentials, book: Book, clock: Clock) -> None:
    assert credentials.find("KEY") == KEY
    book.keys.clear()
    clock.now_s -= 3600
    assert credentials.find("KEY") is None


def test_no_more_are_remembered_than_fit(
    credentials: RecentCredentials, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST", 2)
    book.keys |= dict.fromkeys("ABC", KEY)
    for name in "ABC":
        credentials.find(name)
    assert credentials.find("C") == KEY
    assert book.questions == 3
    credentials.find("A")
    assert book.questions == 4


def test_what_is_remembered_costs_no_question(credentials: RecentCredentials, book: Book) -> None:
    with pytest.raises(NotRememberedError):
        credentials.remembered("KEY")
    credentials.find("KEY")
    assert credentials.remembered("KEY") == KEY
    assert book.questions == 1
