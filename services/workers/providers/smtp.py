"""E-mail through an SMTP server, over one connection for a run of messages.

SMTP cannot be asked what it took before. A worker that dies between the server's "250" and our mark sends the message
again, with the same Message-ID: at least once, as far as this protocol goes.
"""

import smtplib
import ssl
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from services.workers.providers.kinds import Away, Never, NotNow
from services.workers.providers.mime import domain, message_id, written
from shared.letters.render import Letter
from shared.settings import settings

PATIENCE_SECONDS = 10.0
"""How long one answer of the server may take."""


class Smtp:
    """See `kinds.Provider`."""

    def __init__(self) -> None:
        self._server: smtplib.SMTP | None = None

    def send(self, key: str, channel: str, to: str, letter: Letter) -> str:
        """Hand it to the server."""
        if channel != "email":
            raise Never("SMTP carries e-mail only.")
        try:
            self._connected().send_message(written(key, to, letter))
        except smtplib.SMTPRecipientsRefused as no:
            raise _refused(*no.recipients[to]) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as no:
            raise _refused(no.smtp_code, no.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Away(_said(error)) from None
        return message_id(key)

    def sent_before(self, key: str, channel: str) -> str | None:
        """SMTP cannot tell."""
        del key, channel
        return None

    def close(self) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except (smtplib.SMTPException, OSError):
                self._server.close()
            self._server = None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = connect(settings().smtp_url.get_secret_value())
        return self._server


def connect(url: str) -> smtplib.SMTP:
    """A connection as the address says: smtps://, or smtp:// with tls=start, and signed in where it names a user.

    We say that we are the sender's domain: to find this machine's own name out took five seconds where no DNS answers.

    Raises:
        SMTPException, OSError: the server is away, has no TLS though it must, or does not know the user.
    """
    told = urlsplit(url)
    host = told.hostname or "localhost"
    if told.scheme == "smtps":
        made: smtplib.SMTP = smtplib.SMTP_SSL(
            host, told.port or 465, domain(), timeout=PATIENCE_SECONDS, context=ssl.create_default_context()
        )
    else:
        made = smtplib.SMTP(host, told.port or 25, domain(), timeout=PATIENCE_SECONDS)
    try:
        _greet(made, told)
    except (smtplib.SMTPException, OSError):
        made.close()
        raise
    return made


def _greet(server: smtplib.SMTP, told: SplitResult) -> None:
    if parse_qs(told.query).get("tls") == ["start"]:
        server.starttls(context=ssl.create_default_context())
    if told.username:
        server.login(unquote(told.username), unquote(told.password or ""))


def _refused(code: int, said: bytes | str) -> Exception:
    """4xx is for now, 5xx for good (RFC 5321, 4.2.1); 421 says that the server is going away."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    line = f"{code} {words}"
    if code == 421:
        return Away(line)
    return Never(line) if code >= 500 else NotNow(line)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
