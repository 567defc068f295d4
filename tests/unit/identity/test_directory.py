from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.wire.double import open_identity_database
from voicegauge.identity.directory import Directory
from voicegauge.identity.errors import DirectoryError


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    ticks = iter(range(1_000, 2_000))
    return Directory(open_identity_database(tmp_path), lambda: next(ticks))


def test_a_key_is_found_with_its_secret_and_project(directory: Directory) -> None:
    project = directory.create_project("cn-north-4")
    key = directory.create_key(project.project_id, description="laptop")
    found = directory.find_credential(key.access_key)
    assert found == key
    assert found is not None
    assert found.secret_key == key.secret_key


def test_keys_have_the_vendor_s_shape(directory: Directory) -> None:
    project = directory.create_project("cn-north-4")
    key = directory.create_key(project.project_id)
    assert re.fullmatch(r"[A-Z0-9]{20}", key.access_key)
    assert re.fullmatch(r"[A-Za-z0-9]{40}", key.secret_key)
    assert re.fullmatch(r"[0-9a-f]{32}", project.project_id)


def test_no_two_keys_are_alike(directory: Directory) -> None:
    project = directory.create_project("cn-north-4")
    keys = [directory.create_key(project.project_id) for _ in range(20)]
    assert len({key.access_key for key in keys}) == len({key.secret_key for key in keys}) == 20


def test_the_secret_is_in_no_text_of_a_key_and_in_no_list(directory: Directory) -> None:
    key = directory.create_key(directory.create_project("cn-north-4").project_id)
    assert key.secret_key not in f"{key} {key!r} {directory.list_keys()!r}"


def test_a_revoked_key_is_not_found_and_stays_listed(directory: Directory) -> None:
    project = directory.create_project("cn-north-4")
    first, second = directory.create_key(project.project_id), directory.create_key(project.project_id)
    directory.revoke_key(first.access_key)
    assert directory.find_credential(first.access_key) is None
    assert directory.find_credential(second.access_key) == second
    listed = directory.list_keys()
    assert [(key.access_key, key.revoked_s is None) for key in listed] == [
        (first.access_key, False),
        (second.access_key, True),
    ]


def test_revoking_twice_or_the_unknown_is_an_error(directory: Directory) -> None:
    key = directory.create_key(directory.create_project("cn-north-4").project_id)
    directory.revoke_key(key.access_key)
    for access_key in (key.access_key, "NEVERWAS"):
        with pytest.raises(DirectoryError, match=access_key):
            directory.revoke_key(access_key)


def test_keys_are_listed_by_project(directory: Directory) -> None:
    one, other = directory.create_project("one"), directory.create_project("other")
    key = directory.create_key(one.project_id)
    directory.create_key(other.project_id)
    assert [listed.access_key for listed in directory.list_keys(one.project_id)] == [key.access_key]


def test_projects_are_listed_in_order(directory: Directory) -> None:
    made = [directory.create_project(name) for name in ("b", "a")]
    assert directory.list_projects() == made
    assert directory.project(made[1].project_id) == made[1]


@pytest.mark.parametrize("name", ["", "n" * 65])
def test_a_name_out_of_bounds_is_refused(directory: Directory, name: str) -> None:
    with pytest.raises(DirectoryError, match="1 to 64"):
        directory.create_project(name)


def test_a_name_is_taken_once(directory: Directory) -> None:
    directory.create_project("cn-north-4")
    with pytest.raises(DirectoryError, match="choose another name"):
        directory.create_project("cn-north-4")


def test_there_is_no_key_without_a_project(directory: Directory) -> None:
    with pytest.raises(DirectoryError, match="no project 'nowhere'"):
        directory.create_key("nowhere")


def test_a_description_has_bounds(directory: Directory) -> None:
    project = directory.create_project("cn-north-4")
    with pytest.raises(DirectoryError, match="200"):
        directory.create_key(project.project_id, description="d" * 201)
