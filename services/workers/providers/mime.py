"""A letter as an e-mail: text and HTML, a Message-ID made of the key, and a mail program's button to unsubscribe."""

import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from shared.letters.render import Letter
from shared.settings import settings


def written(key: str, to: str, letter: Letter) -> EmailMessage:
    """The e-mail. Sent twice it has the same Message-ID, by which mail servers and programs know it again."""
    name, sender = parseaddr(settings().mail_from)
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(name, addr_spec=sender)
    made["To"] = Address(addr_spec=to)
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = message_id(key)
    made["Auto-Submitted"] = "auto-generated"
    made["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    return made


def message_id(key: str) -> str:
    """Made of the key, so that it says nothing of it to others and is the same every time."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain()}>"


def domain() -> str:
    """That of who the e-mail is from."""
    return parseaddr(settings().mail_from)[1].rpartition("@")[2] or "localhost"
