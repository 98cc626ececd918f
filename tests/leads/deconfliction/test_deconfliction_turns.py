"""Whoever waits for the database's writer gets it in turn, however eager another is."""

import threading
from typing import Any

import pytest

from services.leads.deconfliction.turns import Turns


def test_an_eager_thread_that_comes_back_queues_up_again() -> None:
    turns, order = Turns(), list[Any]()

    def eager() -> None:
        for _ in range(3):
            with turns:
                order.append("eager")
                while len(order) == 1 and not turns._waiting:
                    pass

    thread = threading.Thread(target=eager)
    thread.start()
    while not order:
        pass
    _note(turns, order, "patient")
    thread.join()
    assert order == ["eager", "patient", "eager", "eager"]


def test_they_are_served_in_the_order_in_which_they_came() -> None:
    turns, order, threads = Turns(), list[Any](), list[threading.Thread]()
    with turns:
        for n in range(5):
            thread = threading.Thread(target=lambda n=n: _note(turns, order, n))
            thread.start()
            threads.append(thread)
            while len(turns._waiting) <= n:
                pass
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_fails_hands_on_the_turn() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(RuntimeError), turns:
            raise RuntimeError
    with turns:
        pass


def _note(turns: Turns, order: list[Any], n: Any) -> None:
    with turns:
        order.append(n)
