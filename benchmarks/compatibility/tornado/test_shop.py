import json

from tornado import gen, testing, web


class Price(web.RequestHandler):
    async def get(self, name):
        await gen.sleep(0.001)
        self.write({name: 3})


class TestShop(testing.AsyncHTTPTestCase):
    def get_app(self):
        return web.Application([(r"/price/(\w+)", Price)])

    def test_price(self):
        assert json.loads(self.fetch("/price/bread").body) == {"bread": 3}

    def test_missing(self):
        with testing.ExpectLog("tornado.access", ".*404.*", required=False):
            assert self.fetch("/nothing").code == 404

    @testing.gen_test
    async def test_two_at_once(self):
        urls = [self.get_url(f"/price/{name}") for name in ("milk", "tea")]
        answers = await gen.multi([self.http_client.fetch(url) for url in urls])
        assert [json.loads(answer.body) for answer in answers] == [{"milk": 3}, {"tea": 3}]


class TestLoop(testing.AsyncTestCase):
    @testing.gen_test
    async def test_sleep(self):
        await gen.sleep(0.001)

    def test_stop(self):
        self.io_loop.add_callback(self.stop, 7)
        assert self.wait() == 7
