"""Django and asgiref: blocking code of an async view on an antspy executor."""

import asyncio
import threading

import antspy
import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

executor = antspy.ThreadPoolExecutor(50)
together = threading.Barrier(50)


def look_up(name: str) -> str:
    together.wait()  # all of them at once, each in a thread
    return f"hello {name}"


async def greet(request: HttpRequest, name: str) -> HttpResponse:
    # `thread_sensitive=True` is for code that must share one thread: Django's own database connections.
    return HttpResponse(await sync_to_async(look_up, thread_sensitive=False, executor=executor)(name))


urlpatterns = [path("<name>", greet)]


async def main() -> list[str]:
    client = AsyncClient()
    answers = await asyncio.gather(*(client.get(f"/ant{number}") for number in range(50)))
    return [answer.content.decode() for answer in answers]


settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
django.setup()
with executor:
    texts = asyncio.run(main())
print(texts[-1])
assert texts == [f"hello ant{number}" for number in range(50)]
