"""Who was refused need not ask again, and nor need those who are alike."""

import asyncio

from commands.aws.permission import AccountPermission, Presumption


class Aws:
    """Answers those accounts that are allowed, after every other question had its chance to come first."""

    def __init__(self, *allowed):
        self.allowed = allowed
        self.asked = []

    async def read(self, account):
        self.asked.append(account)
        for _ in range(5):
            await asyncio.sleep(0)
        for _ in range(account if isinstance(account, int) else 0):  # and not all at the same time
            await asyncio.sleep(0)
        return f"answer to {account}" if account in self.allowed else None


def ask_all(aws, presumption, accounts):
    async def inside():
        presumed = presumption()
        return await asyncio.gather(*(presumed.ask(lambda one=one: aws.read(one)) for one in accounts))

    return asyncio.run(inside())


def test_after_enough_refusals_nobody_else_asks():
    aws = Aws()

    answers = ask_all(aws, lambda: Presumption(3), range(50))

    assert answers == [None] * 50
    assert len(aws.asked) == 3


def test_one_answer_lets_everybody_ask_who_was_not_refused_by_presumption():
    aws = Aws(1, *range(10, 50))

    answers = ask_all(aws, lambda: Presumption(3), range(50))

    assert [number for number, answer in enumerate(answers) if answer] == [1, *range(10, 50)]
    assert sorted(aws.asked) == list(range(50))


def test_an_answer_after_a_refusal_ends_the_presumption():
    aws = Aws(2, 4)

    answers = ask_all(aws, lambda: Presumption(3), range(5))

    assert [number for number, answer in enumerate(answers) if answer] == [2, 4]


def test_a_failure_is_neither_an_answer_nor_a_refusal():
    aws = Aws()

    async def inside():
        presumed = Presumption(2)

        async def fails():
            raise OSError

        failed = await asyncio.gather(*(presumed.ask(fails) for _ in range(5)), return_exceptions=True)
        answers = await asyncio.gather(*(presumed.ask(lambda one=one: aws.read(one)) for one in range(9)))
        return failed, answers

    failed, answers = asyncio.run(inside())

    assert [type(one) for one in failed] == [OSError] * 5
    assert answers == [None] * 9
    assert len(aws.asked) == 2


def test_the_first_region_of_an_account_finds_out_for_the_others():
    aws = Aws()

    async def inside():
        here = AccountPermission(Presumption(8))
        return await asyncio.gather(*(here.ask(lambda: aws.read("ana")) for _ in range(6)))

    assert asyncio.run(inside()) == [None] * 6
    assert aws.asked == ["ana"]


def test_an_account_that_may_asks_for_each_region():
    aws = Aws("ana")

    async def inside():
        here = AccountPermission(Presumption(8))
        return await asyncio.gather(*(here.ask(lambda: aws.read("ana")) for _ in range(6)))

    assert asyncio.run(inside()) == ["answer to ana"] * 6
    assert len(aws.asked) == 6
