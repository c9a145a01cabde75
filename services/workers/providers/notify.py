"""E-mail and texts through GOV.UK Notify, by its official client. Its `reference` is our key.

Before a message of unknown fate is sent again, Notify is asked whether it has one of that reference.
"""

from datetime import timedelta
from typing import Any

from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from services.workers.providers.kinds import Away, Never
from shared.letters.render import Letter
from shared.settings import settings

PATIENCE_SECONDS = 10
A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)


class Notify:
    """See `kinds.Provider`."""

    def __init__(self) -> None:
        known = settings()
        self._client = NotificationsAPIClient(
            known.notify_api_key(), base_url=known.notify_url, timeout=PATIENCE_SECONDS
        )

    def send(self, key: str, channel: str, to: str, letter: Letter) -> str:
        """Hand it to Notify."""
        try:
            return str(self._sent(key, channel, to, letter)["id"])
        except APIError as error:
            raise _refusal(error) from None

    def _sent(self, key: str, channel: str, to: str, letter: Letter) -> dict[str, Any]:
        known = settings()
        if channel == "sms":
            return self._client.send_sms_notification(  # type: ignore[no-any-return]
                phone_number=to,
                template_id=known.notify_sms_template,
                personalisation={"body": letter.sms},
                reference=key,
            )
        return self._client.send_email_notification(  # type: ignore[no-any-return]
            email_address=to,
            template_id=known.notify_email_template,
            personalisation={"subject": letter.subject, "body": letter.text},
            reference=key,
            # Notify takes https only.
            one_click_unsubscribe_url=letter.unsubscribe if letter.unsubscribe.startswith("https:") else None,
        )

    def sent_before(self, key: str, channel: str) -> str | None:
        """Ask Notify for what it has by this reference."""
        kind = "sms" if channel == "sms" else "email"
        try:
            known = self._client.get_all_notifications(template_type=kind, reference=key)["notifications"]
        except APIError as error:
            raise Away(_said(error)) from None
        return str(known[0]["id"]) if known else None

    def close(self) -> None:
        self._client.request_session.close()


def _refusal(error: APIError) -> Exception:
    """429: too many a minute, or a day's are sent; 400: it will not do; a key that is wrong is ours to put right."""
    if error.status_code == 429:
        return Away(_said(error), AN_HOUR if "TooManyRequestsError" in _named(error) else A_MINUTE)
    if error.status_code == 400:
        return Never(_said(error))
    return Away(_said(error))


def _named(error: APIError) -> str:
    """The kinds of its errors, as Notify names them: RateLimitError, TooManyRequestsError, ValidationError …"""
    listed = error.message
    return " ".join(str(one.get("error", "")) for one in listed) if isinstance(listed, list) else ""


def _said(error: APIError) -> str:
    listed = error.message
    words = "; ".join(str(one.get("message", "")) for one in listed) if isinstance(listed, list) else str(listed)
    return f"{error.status_code} {_named(error)} {words}".strip()[:300]
