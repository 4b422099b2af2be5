"""Leavers: who has announced that they leave and is still there; nobody foretells them any more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from churnwatch.outreach import Leaver
from churnwatch.runs.people import Team, agreed_sql, language_of
from churnwatch.runs.standing import Past, announced_on
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Model, civil_day, where_sql

if TYPE_CHECKING:
    from churnwatch.sources import Tables

SHOWN_FOR = 90
"""Days an announcement stands on the list where nobody says when the relation ends; our choice."""


def leavers_of(
    workspace: Workspace, tables: Tables, model: Model, past: Past, team: Team, *, day: date, as_of: datetime
) -> list[Leaver]:
    """The announced leavers of a day, the latest announcement first, then by customer.

    By the model's end event, known before as-of, while the relation has not ended; and by what an agent wrote down
    (``will leave``). Who must not be contacted, or has not agreed to be, is left out: they are on nobody's list.
    """
    zone = workspace.spec.deployment.zone
    event = model.outcome.event
    cut = as_of.astimezone(UTC).replace(tzinfo=None)
    said = "text" if tables.has_text else "null"
    happened = (
        f"""select customer_id, max("at") as told_at, arg_max({said}, "at") as said from interactions
        where "at" < $cut and known_at < $cut and "at" >= $since and {where_sql(event)} group by customer_id"""
        if event is not None
        else "select null::varchar as customer_id, null::timestamp as told_at, null::varchar as said where false"
    )
    rows = tables.con.execute(
        f"""with told as ({happened})
        select customer_id, name, owner, value, ended_at, told_at, said, told_at is not null
        from customers left join told using (customer_id)
        where not do_not_contact and {agreed_sql(workspace.spec.outreach.consent)}
          and coalesce(ended_at > $cut, true)
          and (told_at is not null or list_contains($recorded, customer_id)) order by customer_id""",
        {
            "cut": cut,
            **({"since": cut - timedelta(days=SHOWN_FOR)} if event is not None else {}),
            "recorded": [one for one, came in past.outcomes.items() if announced_on(came, day=day) is not None],
        },
    ).fetchall()
    found = []
    for customer, name, owner, value, ended_at, told_at, why, by_event in rows:
        came = past.outcomes.get(customer, ())
        recorded = announced_on(came, day=day)
        on = civil_day(told_at.replace(tzinfo=UTC), zone) if by_event else recorded
        assert on is not None
        spoken = [one.why for one in came if "will_leave" in one.words and one.why]
        found.append(
            Leaver(
                customer_id=customer,
                customer_name=name or "",
                owner=owner or "",
                owner_name=team.names.get(owner or "", owner or ""),
                language=language_of(workspace, team, owner),
                announced_on=on,
                ends_on=None if ended_at is None else civil_day(ended_at.replace(tzinfo=UTC), zone),
                value=None if value is None else float(value),
                said=why or (spoken[-1] if spoken else None),
            )
        )
    return sorted(found, key=lambda one: (-one.announced_on.toordinal(), one.customer_id))
