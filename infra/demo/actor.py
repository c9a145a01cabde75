"""Somebody who takes turn after turn on a thread of their own, and goes on after a turn that went wrong."""

from abc import ABC, abstractmethod

from infra.demo.account import SignIn
from infra.demo.client import Client, GaveUp
from infra.demo.world import World


class Actor(ABC):
    """`who` signs in before the first turn; None: one of the public, or who sends a key."""

    def __init__(self, world: World, name: str, who: SignIn | None = None) -> None:
        self.world, self.name, self.who = world, name, who
        self.random = world.random(name)

    def run(self, every_seconds: float) -> None:
        """Take turns until it is time to stop."""
        client = self.world.client()
        try:
            while not self.rests(every_seconds):
                self._take_turn(client)
        finally:
            client.close()

    def rests(self, every_seconds: float) -> bool:
        """Rest between two turns. True when it is time to stop."""
        return self.world.rest(every_seconds)

    @abstractmethod
    def turn(self, client: Client) -> None:
        """Do what is to be done now."""

    def _take_turn(self, client: Client) -> None:
        try:
            if self.who is not None and not client.is_signed_in:
                client.sign_in(self.who)
            self.turn(client)
        except GaveUp as error:
            self.world.ledger.count(f"gave up: {error}")
        except Exception as error:  # noqa: BLE001 (an answer that nobody foresaw is told, and the others go on)
            self.world.ledger.broke(f"{self.name} was answered what could not be read: {type(error).__name__}: {error}")
