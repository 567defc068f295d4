"""Projects, and the access keys that act for them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from voicegauge.identity.errors import DirectoryError
from voicegauge.identity.tables import access_keys, projects

__all__ = ["AccessKey", "Credential", "Directory", "Project"]

ACCESS_KEY_LENGTH = 20
SECRET_KEY_LENGTH = 40
NAME_MAX_CHARS = 64
DESCRIPTION_MAX_CHARS = 200


@dataclass(frozen=True)
class Project:
    """A tenant: jobs belong to one, and none sees another's."""

    project_id: str
    name: str
    domain_id: str
    created_s: int


@dataclass(frozen=True)
class AccessKey:
    """An access key as it may be shown: without its secret. `revoked_s` is None while it is valid."""

    access_key: str
    project_id: str
    description: str
    created_s: int
    revoked_s: int | None


@dataclass(frozen=True)
class Credential:
    """A valid access key with its secret, which no text form of this object shows."""

    access_key: str
    secret_key: str = field(repr=False)
    project_id: str


# Every request asks this one, and building it anew would take longer than running it.
_FIND_CREDENTIAL = sa.select(access_keys.c.access_key, access_keys.c.secret_key, access_keys.c.project_id).where(
    access_keys.c.access_key == sa.bindparam("wanted"), access_keys.c.revoked_s.is_(None)
)


class Directory:
    """The projects and access keys of one installation.

    Parameters
    ----------
    engine : Engine
        On SQLite or PostgreSQL, with the tables of :mod:`voicegauge.identity.tables` in it.
    now_s : callable
        The current Unix time in seconds.
    """

    def __init__(self, engine: sa.Engine, now_s: Callable[[], float]) -> None:
        self._engine = engine
        self._now_s = now_s

    def create_project(self, name: str) -> Project:
        """Make a project; raises DirectoryError where the name is taken, empty or longer than 64 characters."""
        if not 1 <= len(name) <= NAME_MAX_CHARS:
            raise DirectoryError(f"a project name has 1 to {NAME_MAX_CHARS} characters, this one has {len(name)}")
        project = Project(secrets.token_hex(16), name, secrets.token_hex(16), int(self._now_s()))
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    projects.insert().values(
                        project_id=project.project_id,
                        name=project.name,
                        domain_id=project.domain_id,
                        created_s=project.created_s,
                    )
                )
        except sa.exc.IntegrityError:
            raise DirectoryError(f"there is a project named {name!r} already; choose another name") from None
        return project

    def list_projects(self) -> list[Project]:
        """Return every project, oldest first."""
        query = projects.select().order_by(projects.c.created_s, projects.c.project_id)
        with self._engine.connect() as connection:
            return [Project(**row) for row in connection.execute(query).mappings()]

    def project(self, project_id: str) -> Project:
        """Return one project; raises DirectoryError where there is none of this id."""
        with self._engine.connect() as connection:
            row = connection.execute(projects.select().where(projects.c.project_id == project_id)).mappings().first()
        if row is None:
            raise DirectoryError(f"there is no project {project_id!r}; `voicegauge keys list` shows those there are")
        return Project(**row)

    def create_key(self, project_id: str, *, description: str = "") -> Credential:
        """Make an access key for a project; raises DirectoryError where there is no such project.

        This is the one moment to show the secret.
        """
        if len(description) > DESCRIPTION_MAX_CHARS:
            raise DirectoryError(f"a description has at most {DESCRIPTION_MAX_CHARS} characters")
        self.project(project_id)
        credential = Credential(
            access_key=_random_text(string.ascii_uppercase + string.digits, ACCESS_KEY_LENGTH),
            secret_key=_random_text(string.ascii_letters + string.digits, SECRET_KEY_LENGTH),
            project_id=project_id,
        )
        with self._engine.begin() as connection:
            connection.execute(
                access_keys.insert().values(
                    access_key=credential.access_key,
                    secret_key=credential.secret_key,
                    project_id=project_id,
                    description=description,
                    created_s=int(self._now_s()),
                )
            )
        return credential

    def list_keys(self, project_id: str | None = None) -> list[AccessKey]:
        """Return the access keys of one project or of all, revoked ones too, oldest first."""
        query = sa.select(*(column for column in access_keys.c if column is not access_keys.c.secret_key))
        if project_id is not None:
            query = query.where(access_keys.c.project_id == project_id)
        query = query.order_by(access_keys.c.created_s, access_keys.c.access_key)
        with self._engine.connect() as connection:
            return [AccessKey(**row) for row in connection.execute(query).mappings()]

    def revoke_key(self, access_key: str) -> None:
        """End an access key for good, on every node; raises DirectoryError where no such key is valid."""
        with self._engine.begin() as connection:
            revoked = connection.execute(
                access_keys.update()
                .where(access_keys.c.access_key == access_key, access_keys.c.revoked_s.is_(None))
                .values(revoked_s=int(self._now_s()))
            )
        if revoked.rowcount != 1:
            raise DirectoryError(f"there is no valid access key {access_key!r}; `voicegauge keys list` shows them all")

    def find_credential(self, access_key: str) -> Credential | None:
        """Return a valid key with its secret, None where it does not exist or was revoked."""
        if not (access_key.isascii() and access_key.isprintable()):
            return None  # not all databases can be asked for a NUL, say
        with self._engine.connect() as connection:
            row = connection.execute(_FIND_CREDENTIAL, {"wanted": access_key}).first()
        return None if row is None else Credential(*row)


def _random_text(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
