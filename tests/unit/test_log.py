"""The log: one line for each event, whatever stands in its facts."""

from __future__ import annotations

import io
import logging
import re
import threading

from mailbot.log import log, writing_to


def written(stream: io.StringIO) -> str:
    return re.sub(r"timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ", "", stream.getvalue())


def test_an_event_is_a_line_of_logfmt() -> None:
    with writing_to(stream := io.StringIO()):
        log.info("replied", reply=17, kind="correction", reason="", note=None)
        log.warning("reply put off", reason='450 "later", please', 单位="浙江省示例学会")
        log.error("100 % of it", uids=[1, 2])
    assert written(stream) == (
        "level=info event=replied reply=17 kind=correction reason= note=\n"
        'level=warning event="reply put off" reason="450 \\"later\\", please" 单位=浙江省示例学会\n'
        'level=error event="100 % of it" uids="[1, 2]"\n'
    )


def test_foreign_text_begins_no_line_and_hides_none() -> None:
    with writing_to(stream := io.StringIO()):
        log.error("refused", reason="no\r\nlevel=info event=replied \x1b[2K\u2028\u202e", path="a\\nb")
    assert written(stream) == (
        'level=error event=refused reason="no\\r\\nlevel=info event=replied \\x1b[2K\\u2028\\u202e" path="a\\\\nb"\n'
    )


def test_an_exception_comes_with_its_traceback_on_the_same_line() -> None:
    with writing_to(stream := io.StringIO()):
        try:
            int("half a character: \ud800")
        except ValueError:
            log.exception("a thread broke", thread="send")
    line = written(stream)
    assert line.startswith('level=error event="a thread broke" thread=send exception="Traceback (most recent')
    assert "half a character: \\\\ud800" in line
    assert line.count("\n") == 1
    line.encode()


def test_what_libraries_warn_of_is_a_line_of_the_same_form() -> None:
    with writing_to(stream := io.StringIO()):
        logging.getLogger("library").warning("odd: %s", "a\nb")
        logging.getLogger("library").info("chatter")
    assert written(stream) == 'level=warning event="odd: a\\nb"\n'


def test_the_inner_stream_takes_the_place_of_the_outer() -> None:
    with writing_to(outer := io.StringIO()):
        with writing_to(inner := io.StringIO()):
            log.info("inside")
        log.info("outside")
    assert (written(inner), written(outer)) == ("level=info event=inside\n", "level=info event=outside\n")


def test_lines_of_many_threads_stay_whole() -> None:
    with writing_to(stream := io.StringIO()):
        threads = [
            threading.Thread(target=lambda n=n: [log.info("said", n=n, k=k) for k in range(50)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = written(stream).splitlines()
    assert sorted(lines) == sorted(f"level=info event=said n={n} k={k}" for n in range(8) for k in range(50))
