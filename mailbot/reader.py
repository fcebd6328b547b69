"""Reads a mail whole, its hostile part in a bounded child: octets in, one `MailReading` out.

The child parses the mail, unpacks and reads its documents and examines the form. What it may not do itself (start
an office program, recognize characters) it asks for; the parent has it done and lets the child read again with
the result supplied. A file that breaks its child, or kills a fresh one too, is supplied as that: a child may also end
because the service is stopped or the machine is short of memory. So a reading is deterministic.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec

from mailbot import rubric as rubrics
from mailbot.child import OcrRequest, Request, Response, Want
from mailbot.documents.needs import Supplied
from mailbot.documents.sandbox import ChildFailedError, Pool, Reason
from mailbot.documents.scanner import Scanner
from mailbot.errors import DocumentError, UnreadableError, UsageError
from mailbot.model import Code, Format, Role, Track, finding
from mailbot.reading import Bounds, Extract, MailReading, Need
from mailbot.registry import Registry, identify

if TYPE_CHECKING:
    from mailbot.config import Limits

_PRELOAD = (
    "mailbot.child",
    "mailbot.documents.read",
    "mailbot.documents.pdf",
    "mailbot.form.examine",
    "mailbot.mail.parse",
    "pypdfium2",
    "python_calamine",
)
_MOST_ROUNDS = 64
"""How often one mail is read again with something supplied; more files than this in need is no honest mail."""


_responses = msgspec.msgpack.Decoder(Response)
_supplies = msgspec.msgpack.Decoder(Supplied)


class Reader:
    """Reads mails and documents in bounded children. Thread-safe; a context manager.

    `rubric` is the path of the rubric, `children` how many mails are read at the same time. Where there is a `scanner`,
    it sees each mail, and each file of it, before that is read. Raises ConfigurationError for a faulty rubric.
    """

    def __init__(
        self, rubric: Path, limits: Limits, *, children: int = 2, scanner: Scanner | None = None
    ) -> None:
        self._rubric = msgspec.msgpack.encode(rubrics.load(rubric))
        self._limits = limits
        self._bounds = Bounds(
            document_mb=limits.document_mb, archive_mb=limits.archive_mb, archive_depth=limits.archive_depth
        )
        self.children = children
        self._scanner = scanner
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._ocr: Pool | None = None

    def __enter__(self) -> Self:
        self._pool = self._stack.enter_context(
            Pool(
                "mailbot.child:serve",
                size=self.children,
                memory_mb=self._limits.parse_memory_mb,
                seconds=self._limits.parse_seconds,
                preload=_PRELOAD,
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def warm(self) -> None:
        """Start all children now."""
        self._pool.warm()

    def read_mail(
        self,
        path: Path,
        *,
        authserv_id: str | None,
        own_addresses: Iterable[str],
        required: frozenset[Role],
    ) -> MailReading:
        """Read one mail. `required` are the roles for which scans are worth recognizing.

        Raises DocumentError where the mail as a whole cannot be taken apart, ScannerError where nobody could look it
        through for malware, OSError where the file cannot be opened, TemporaryError where no child can be started.
        """
        found = self._scanner.scan_file(path) if self._scanner else ""
        reading = self._read(path, None, authserv_id, tuple(own_addresses), required)
        if not found:
            return reading
        infected = finding(Code.DOCUMENT_DANGEROUS, found=found)
        return replace(reading, findings=(*reading.findings, infected))

    def _found_in(self, octets: bytes) -> bytes:
        """What the child asks of each file."""
        return self._scanner.scan((octets,)).encode() if self._scanner else b""

    def read_document(self, path: Path) -> MailReading:
        """Read one document as if it had come alone in a mail. Raises DocumentError, ScannerError, OSError."""
        return self._read(path, path.name, None, (), frozenset(Role))

    def _read(
        self,
        path: Path,
        document: str | None,
        authserv_id: str | None,
        own_addresses: tuple[str, ...],
        required: frozenset[Role],
    ) -> MailReading:
        supplied: dict[str, Supplied] = {}
        tried: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            request = Request(
                document=document,
                authserv_id=authserv_id,
                own_addresses=own_addresses,
                rubric=self._rubric,
                limits=self._bounds,
                scanned=self._scanner is not None,
                supplied=supplied,
            )
            try:
                packed = msgspec.msgpack.encode(request)
                answer = _responses.decode(self._pool.call(packed, path, answer=self._found_in))
            except ChildFailedError as failure:
                if failure.reason == "raised" or failure.progress in tried:
                    supplied[self._culprit(failure, supplied)] = _refused(failure)
                tried.add(failure.progress)
                continue
            wants = [want for want in answer.wants if want.key not in supplied]
            if not wants:
                return answer.reading
            supplied.update(self._supply(wants, answer.reading, required))
        raise UnreadableError("too many of its files break their reader")

    @staticmethod
    def _culprit(failure: ChildFailedError, supplied: Mapping[str, Supplied]) -> str:
        if not failure.progress or failure.progress in supplied:
            raise UnreadableError(f"the mail breaks its reader: {failure}") from failure
        return failure.progress

    def _supply(
        self, wants: list[Want], reading: MailReading, required: frozenset[Role]
    ) -> dict[str, Supplied]:
        """Have done what the child may not do: conversions first, and recognition only if something lacks still."""
        conversions = [want for want in wants if want.need is Need.OFFICE]
        if conversions:
            return {want.key: self._convert(want) for want in conversions}
        covered = {role for document in reading.documents for role in document.covers}
        enough = required <= covered
        forms = {document.key for document in reading.documents if Role.FORM in document.covers}
        return {
            want.key: Supplied(extract=want.otherwise)
            if enough or want.key in forms
            else _beside(self._recognize(want), want.otherwise)
            for want in wants
        }

    def _convert(self, want: Want) -> Supplied:
        from mailbot.documents.office import convert

        try:
            return convert(want.data, want.format, seconds=self._limits.parse_seconds)
        except DocumentError as error:
            if want.otherwise is not None:
                return Supplied(extract=want.otherwise)
            return Supplied(code=Code(error.code), reason=str(error))

    def _recognize(self, want: Want) -> Supplied:
        from mailbot.documents.dimensions import worth_recognizing

        if want.format is Format.IMAGE and not worth_recognizing(want.data):
            return Supplied()
        request = msgspec.msgpack.encode(OcrRequest(format=want.format, data=want.data))
        with self._lock:
            return self._recognized(request)

    def _recognized(self, request: bytes) -> Supplied:
        """What the OCR child makes of it. Where one that was used before fails for want of memory, a fresh one tries."""
        while True:
            used = self._ocr is not None
            try:
                return _supplies.decode(self._recognizer().call(request))
            except ChildFailedError as failure:
                self._dismiss_recognizer()
                if not used or failure.reason not in ("memory", "raised"):
                    return _unrecognized(failure)

    def _dismiss_recognizer(self) -> None:
        """End the OCR child, so that the next scan starts a fresh one: after running out of memory it never gets any back."""
        if self._ocr is not None:
            self._ocr.__exit__(None, None, None)
            self._ocr = None

    def _recognizer(self) -> Pool:
        """The long-lived OCR child, started when the first scan comes."""
        if self._ocr is None:
            self._ocr = self._stack.enter_context(
                Pool(
                    "mailbot.child:serve_ocr",
                    size=1,
                    memory_mb=self._limits.ocr_memory_mb,
                    seconds=self._limits.parse_seconds,
                    preload=(),
                )
            )
        return self._ocr


def read_document(
    path: Path,
    rubric: Path,
    limits: Limits | None = None,
    registry: Registry | None = None,
    scanner: Scanner | None = None,
) -> MailReading:
    """Read one document as if it had come alone; nothing is stored or sent.

    Raises UsageError where there is no such file, DocumentError where it cannot be read at all, ScannerError where it
    cannot be looked through.
    """
    from mailbot.config import Limits

    if not path.is_file():
        raise UsageError(f"{path}: {'is no file' if path.exists() else 'there is no such file'}")
    with Reader(rubric, limits or Limits(), children=1, scanner=scanner) as reader:
        try:
            reading = reader.read_document(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if reading.assessment is None:
        return reading
    identity = identify(
        registry,
        form_name=reading.assessment.organization,
        senders=(),
        hints=[("title", name) for document in reading.documents for name in document.organizations],
        learned=None,
        default_track=Track.SOCIETY,
        has_form=True,
    )
    return replace(reading, findings=(*reading.findings, *identity.findings))


_REFUSED_AS: Final[Mapping[Reason, Code]] = {
    "died": Code.DOCUMENT_UNREADABLE,
    "memory": Code.DOCUMENT_TOO_LARGE,
    "timeout": Code.DOCUMENT_TOO_LARGE,
    "raised": Code.MESSAGE_UNPROCESSABLE,
}
"""The finding on a document, by how the child that read it failed. An exception that no reader expected is a fault of this
program: a person has to look."""


def _beside(recognized: Supplied, otherwise: Extract | None) -> Supplied:
    """What was recognized. Where that failed and text stood beside the pictures, that text, with a finding for a person."""
    if recognized.code is None or otherwise is None:
        return recognized
    return Supplied(extract=otherwise, code=Code.MESSAGE_UNPROCESSABLE, reason=recognized.reason)


def _refused(failure: ChildFailedError) -> Supplied:
    return Supplied(code=_REFUSED_AS[failure.reason], reason=str(failure))


def _unrecognized(failure: ChildFailedError) -> Supplied:
    """A finding for a person: that the recognizer broke or went past its limits is no fault of the sender's."""
    return Supplied(code=Code.MESSAGE_UNPROCESSABLE, reason=str(failure))
