import asyncio


def test_answers_come_in_the_order_asked():
    order = []

    async def ask(number):
        order.append(await asyncio.to_thread(int, number))

    async def main():
        await asyncio.gather(*map(ask, "123"))

    asyncio.run(main())
    assert order == [1, 2, 3]
