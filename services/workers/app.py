"""Celery: the queues, what beat says every second, and one `drain` task for all consumers."""

import gc
import logging

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from kombu.entity import Queue

from services.workers.lost_credit import LostCredit
from shared import logs
from shared.domain.events import Consumer
from shared.settings import settings

SWEEPS = {
    "nudge_due": 1.0,
    "mark_overdue": 30.0,
    "assign_waiting": 60.0,
    "expire_warranties": 300.0,
    "move_deadlines": 900.0,
    "time_out_questions": 300.0,
    "make_partitions": 3600.0,
    "freeze_quarters": 3600.0,
    "let_waiting_go": 3600.0,
    "forget_old_keys": 3600.0,
    "forget_orphan_photos": 3600.0,
    "send_digests": 300.0,
    "forget_personal": 3600.0,
}
"""Sweeps by name, with the seconds between two runs. Each is safe to repeat and to miss."""

OUTBOUND = "outbound"
"""What leaves the building has a queue of its own: workers that are to send may be others (`-Q outbound`)."""
SEND_EVERY_SECONDS = 1.0

QUEUES = ["roadmend", OUTBOUND, *(f"drain.{consumer}" for consumer in Consumer)]

app = Celery(
    "roadmend",
    broker=settings().redis_url,
    include=["services.workers.tasks"],
    amqp="services.workers.reconnect:Amqp",
)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=False,
    task_queues=[Queue(name, routing_key=name) for name in QUEUES],
    task_default_queue="roadmend",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "retry_on_timeout": False,
        "queue_order_strategy": "services.workers.feed_first:FeedFirst",
    },
    beat_schedule={
        name: {"task": f"roadmend.{name}", "schedule": seconds, "options": {"expires": max(5.0, seconds)}}
        for name, seconds in SWEEPS.items()
    }
    | {
        "send_messages": {
            "task": "roadmend.send_messages",
            "schedule": SEND_EVERY_SECONDS,
            "options": {"expires": 5.0, "queue": OUTBOUND},
        }
    },
    beat_max_loop_interval=1,
    timezone="UTC",
)
app.steps["consumer"].add(LostCredit)


@setup_logging.connect
def _one_line_of_json(**_: object) -> None:
    """Keep Celery from setting up its own log format, and from two lines for each nudge: a tenth of a small drain."""
    logs.configure(settings().log_level)
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


COLLECT_AFTER = (50_000, 20, 20)
"""A survey makes a million objects that nothing refers to in a circle. Python's own 700 walked through them again and
again: 27 µs of 84 for a detection.
"""


@worker_process_init.connect
def _collect_less_often(**_: object) -> None:
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
