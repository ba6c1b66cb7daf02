"""Blocking code of Django's async views, and asgiref's `sync_to_async`, on our executor."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import antspy
import pytest
from support import LIMIT, library

django = library("django")
library("asgiref")

from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async  # noqa: E402

together = threading.Barrier(60)
executors: list[antspy.ThreadPoolExecutor] = []
urlpatterns: list[Any] = []
"""Django looks here for its views."""


@pytest.fixture(scope="module", autouse=True)
def project() -> None:
    """Make this module a Django project, and start the one thread of asgiref's own that stays."""
    SyncToAsync.single_thread_executor.submit(int).result(LIMIT)
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def look_up(name: str) -> str:
        if name == "nobody":
            raise LookupError("no ant")
        return f"{name} {threading.current_thread().name.split('_')[0]}"

    def meet(_: str) -> int:
        return together.wait(LIMIT)

    def view(fn: Callable[[str], object]) -> Any:
        async def view(request: HttpRequest, name: str) -> HttpResponse:
            on_workers = sync_to_async(fn, thread_sensitive=False, executor=executors[0])
            return HttpResponse(str(await on_workers(name)))

        return view

    urlpatterns[:] = [path("ants/<name>", view(look_up)), path("meet/<name>", view(meet))]
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)
    django.setup()


def get(*paths: str) -> list[Any]:
    """Have Django answer all of `paths` at once, on an executor of 60 workers."""
    from django.test import AsyncClient

    async def main() -> list[Any]:
        client = AsyncClient(raise_request_exception=False)
        return await asyncio.gather(*(client.get(path) for path in paths))

    with antspy.ThreadPoolExecutor(60, thread_name_prefix="ant") as executor:
        executors[:] = [executor]
        return asyncio.run(main())


def test_a_view_has_its_blocking_code_run_by_a_worker() -> None:
    assert [answer.content for answer in get("/ants/bee", "/ants/wasp")] == [b"bee ant", b"wasp ant"]


def test_as_many_views_at_once_as_there_are_workers() -> None:
    answers = get(*["/meet/ant"] * 60)
    assert sorted(int(answer.content) for answer in answers) == list(range(60))


def test_an_error_is_answered_as_always() -> None:
    assert [answer.status_code for answer in get("/ants/nobody", "/ants/bee", "/nowhere")] == [500, 200, 404]


def on(executor: antspy.ThreadPoolExecutor, fn: Callable[..., Any]) -> Any:
    return sync_to_async(fn, thread_sensitive=False, executor=executor)


def test_the_context_goes_to_the_worker_and_comes_back() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody")

    def exchange() -> str:
        before = variable.get()
        variable.set("worker")
        return before

    async def main() -> tuple[str, str]:
        variable.set("caller")
        with antspy.ThreadPoolExecutor(1) as executor:
            return await on(executor, exchange)(), variable.get()

    assert asyncio.run(main()) == ("caller", "worker")


def test_a_worker_can_call_back_into_the_loop() -> None:
    async def number() -> int:
        return 7

    async def main() -> int:
        with antspy.ThreadPoolExecutor(2) as executor:
            result: int = await on(executor, async_to_sync(number))()
            return result

    assert asyncio.run(main()) == 7


def test_an_error_is_raised_where_it_is_awaited() -> None:
    async def main() -> None:
        with antspy.ThreadPoolExecutor(2) as executor:
            with pytest.raises(ZeroDivisionError):
                await on(executor, lambda: 1 / 0)()
            assert await on(executor, abs)(-1) == 1

    asyncio.run(main())


def test_without_an_executor_it_runs_on_that_of_the_loop() -> None:
    async def main() -> str:
        executor = antspy.ThreadPoolExecutor(2, thread_name_prefix="ant")
        asyncio.get_running_loop().set_default_executor(executor)
        name: str = await sync_to_async(lambda: threading.current_thread().name, thread_sensitive=False)()
        return name

    assert asyncio.run(main()).startswith("ant_")


def test_code_that_must_share_one_thread_stays_in_asgirefs_own() -> None:
    with antspy.ThreadPoolExecutor(2) as executor, pytest.raises(TypeError, match="thread_sensitive"):
        SyncToAsync(abs, thread_sensitive=True, executor=executor)
