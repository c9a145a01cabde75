"""People are changed, and nobody is locked out by it: one administrator who can sign in always remains."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import select

from shared.domain.terms import Role
from shared.errors import Invalid, NotAllowed
from shared.flows import manage_access, manage_people
from shared.flows.manage_access import Kind, LastAdmin
from shared.store.engine import WriteTx, reading, transaction
from shared.store.tables import event, person

NOW = datetime.now(UTC)
ANN, BEA = "ann@roads.example", "bea@roads.example"
OLD, NEW = "the old password", "the new password"


def an_admin(tx: WriteTx, email: str, password: str | None = OLD) -> None:
    manage_access.add_person(tx, email, email.partition("@")[0].title(), Role.ADMIN, NOW, password=password)


def role_of(tx: WriteTx, email: str) -> str:
    return str(tx.scalar(select(person.c.role).where(person.c.email == email)))


def test_the_last_administrator_can_neither_be_disabled_nor_become_another(tx: WriteTx) -> None:
    an_admin(tx, ANN)

    with pytest.raises(LastAdmin, match="Make another person one first"):
        manage_access.disable_person(tx, ANN, NOW)
    with pytest.raises(LastAdmin):
        manage_people.change(tx, ANN, "Ann", Role.OPERATOR, NOW)

    assert role_of(tx, ANN) == "admin"


def test_an_administrator_who_cannot_sign_in_is_no_other(tx: WriteTx) -> None:
    an_admin(tx, ANN)
    an_admin(tx, BEA, password=None)
    an_admin(tx, "cat@roads.example")
    manage_access.disable_person(tx, "cat@roads.example", NOW)

    with pytest.raises(LastAdmin):
        manage_access.disable_person(tx, ANN, NOW)


def test_with_another_one_an_administrator_may_go(tx: WriteTx) -> None:
    an_admin(tx, ANN)
    an_admin(tx, BEA)

    manage_people.change(tx, ANN, "Ann Holt", Role.SUPERVISOR, NOW)

    assert role_of(tx, ANN) == "supervisor"
    assert "changed to supervisor" in set(tx.scalars(select(event.c.data["what"].astext)))


def test_two_administrators_who_put_each_other_out_at_once_do_not_both(own_db: object) -> None:
    with transaction("test") as tx:
        an_admin(tx, ANN)
        an_admin(tx, BEA)
    together = Barrier(2)

    def put_out(email: str) -> bool:
        together.wait(10)
        try:
            with transaction("test") as tx:
                manage_access.disable_person(tx, email, NOW)
        except LastAdmin:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(put_out, (ANN, BEA)))

    assert sorted(done) == [False, True]


def test_a_changed_role_holds_in_a_session_that_is_open(tx: WriteTx) -> None:
    manage_access.add_person(tx, BEA, "Bea", Role.OPERATOR, NOW, password=OLD)
    session = manage_access.sign_in(tx, BEA, OLD, NOW).secret

    manage_people.change(tx, BEA, "Bea", Role.SUPERVISOR, NOW)

    assert manage_access.who(tx, Kind.SESSION, session, NOW).role is Role.SUPERVISOR


def test_a_password_that_is_given_ends_every_session_and_is_the_only_one(tx: WriteTx) -> None:
    manage_access.add_person(tx, BEA, "Bea", Role.OPERATOR, NOW, password=OLD)
    session = manage_access.sign_in(tx, BEA, OLD, NOW).secret

    ended = manage_people.set_password(tx, BEA, NEW, NOW)

    assert ended == 1
    assert manage_access.who(tx, Kind.SESSION, session, NOW).role is Role.PUBLIC
    assert manage_access.sign_in(tx, BEA, NEW, NOW).name == "Bea"
    with pytest.raises(manage_access.SignInNeeded):
        manage_access.sign_in(tx, BEA, OLD, NOW)


def test_ones_own_password_is_changed_by_who_knows_it_and_this_session_goes_on(tx: WriteTx) -> None:
    who = manage_access.add_person(tx, BEA, "Bea", Role.OPERATOR, NOW, password=OLD)
    here, there = (manage_access.sign_in(tx, BEA, OLD, NOW).secret for _ in range(2))

    with pytest.raises(Invalid) as wrong:
        manage_people.change_own_password(tx, who, "a wrong password", NEW, NOW, session=here)
    ended = manage_people.change_own_password(tx, who, OLD, NEW, NOW, session=here)

    assert wrong.value.errors.keys() == {"old"}
    assert ended == 1
    assert [manage_access.who(tx, Kind.SESSION, one, NOW).role for one in (here, there)] == ["operator", "public"]


def test_a_key_has_no_password(tx: WriteTx) -> None:
    with pytest.raises(NotAllowed):
        manage_people.change_own_password(tx, None, OLD, NEW, NOW, session=None)


def test_who_was_disabled_is_let_in_again(own_db: object) -> None:
    with transaction("test") as tx:
        manage_access.add_person(tx, BEA, "Bea", Role.OPERATOR, NOW, password=OLD)
        manage_access.disable_person(tx, BEA, NOW)
        manage_people.enable(tx, BEA, NOW)

    with reading() as look:
        assert look.scalar(select(person.c.disabled_at).where(person.c.email == BEA)) is None
