"""Requests whose texts would be a program in the hands of JMeter, XML, YAML, Java or Markdown."""

from __future__ import annotations

from capacity.loadtest.generate import Request

EVIL_LABEL = 'evil "quoted" </stringProp>${__BeanShell(System.exit(1))}, */ \\u002a\\u002f #{x}: 100%\\'
EVIL_BODY = '{"a": "${__P(port)} ü 😀 \\\\ \\, \\$, <x>&amp;]]>",\r\n "t": "\ttab"}'
PLAIN_BODY = "back\\slash \\$ \\, $ {x} \\\\"

MIX = (
    Request(path='/cart?size=2&x={"a"}', share=70, expect='"ok":true'),
    Request(label=EVIL_LABEL, method="POST", path="/b/ü ${__P(host)}", share=25, body=EVIL_BODY),
    Request(label="PUT \\$ back", method="PUT", path="/c", share=5, body=PLAIN_BODY, content_type="text/plain"),
)
EVIL_HEADER = 'a ${__P(port)} "b" \\, </x>'
