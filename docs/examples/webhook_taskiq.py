"""Handlers in taskiq: ``uvicorn webhook_taskiq:app`` and ``taskiq worker webhook_taskiq:queue``."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from taskiq_redis import ListQueueBroker

from rmz_async import webhooks
from rmz_async.integrations.fastapi import webhook_router

queue = ListQueueBroker(os.environ["REDIS_URL"])
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")


@receiver.on(webhooks.SubscriptionRenewed)
async def book(event: webhooks.SubscriptionRenewed) -> None:
    async with receiver.transaction(event) as connection:
        connection.execute("INSERT INTO renewals VALUES (?)", (event.subscription.id,))


@queue.task
async def run_delivery(inbox_id: int) -> None:
    await receiver.run_one(inbox_id)


receiver.hand_off(run_delivery.kiq)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    await queue.startup()
    async with receiver.working():  # hands over again what the queue has lost
        yield
    await queue.shutdown()


app = FastAPI(lifespan=lifespan)
app.include_router(webhook_router(receiver))
