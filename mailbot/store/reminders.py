"""Reminders: each is in the database before its first byte leaves, and none goes twice a day."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from mailbot.model import ReplyState
from mailbot.records import ReminderRecord
from mailbot.store.database import Chain, Database
from mailbot.store.tables import reminders


class Reminders(Database):
    """The part of the store in which reminders are kept."""

    def begin_reminder(self, reminder: ReminderRecord) -> bool:
        """Mark a reminder as being sent; False where that address was written to on that day already."""
        values = {name: getattr(reminder, name) for name in _PLAIN}
        with self.writing() as connection:
            if connection.execute(sa.select(sa.func.count()).where(_this(reminder))).scalar_one():
                return False
            connection.execute(sa.insert(reminders).values(**values, state=ReplyState.SENDING.value))
            chain = _note(connection, reminder, ReplyState.SENDING, reminder.at)
        self.letters_leave(chain)
        return True

    def settle_reminder(
        self, reminder: ReminderRecord, state: ReplyState, *, at: datetime, error: str = ""
    ) -> None:
        """Keep how sending ended; `queued` means that nothing was taken and it may be tried again."""
        with self.writing() as connection:
            if state is ReplyState.QUEUED:
                connection.execute(sa.delete(reminders).where(_this(reminder)))
            else:
                connection.execute(
                    sa.update(reminders)
                    .where(_this(reminder))
                    .values(state=state.value, at=at, error=error[:1000])
                )
            _note(connection, reminder, state, at, error)

    def reminders(
        self,
        *,
        day: date | None = None,
        state: ReplyState | None = None,
    ) -> tuple[ReminderRecord, ...]:
        """Reminders that went out or were tried, oldest first."""
        query = sa.select(reminders).order_by(reminders.c.at, reminders.c.recipient)
        if day is not None:
            query = query.where(reminders.c.day == day)
        if state is not None:
            query = query.where(reminders.c.state == state.value)
        with self.reading() as connection:
            return tuple(
                ReminderRecord(**{**row._mapping, "state": ReplyState(row.state)})
                for row in connection.execute(query)
            )


_PLAIN = ("organization", "recipient", "day", "mailbox", "subject", "at", "error")


def _this(reminder: ReminderRecord) -> sa.ColumnElement[bool]:
    return sa.and_(
        reminders.c.organization == reminder.organization,
        reminders.c.recipient == reminder.recipient,
        reminders.c.day == reminder.day,
    )


def _note(
    connection: sa.Connection, reminder: ReminderRecord, state: ReplyState, at: datetime, error: str = ""
) -> Chain:
    chain = Chain(connection, at)
    chain.append(
        "reminder",
        {
            "organization": reminder.organization,
            "to": reminder.recipient,
            "day": reminder.day.isoformat(),
            "mailbox": reminder.mailbox,
            "subject": reminder.subject,
            "state": state.value,
            "error": error[:1000],
        },
    )
    chain.write()
    return chain
