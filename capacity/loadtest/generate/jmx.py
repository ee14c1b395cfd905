"""A load plan as Apache JMeter reads it: vanilla elements that 2.13 and 5.6 both know (reference loadtest.md 2.2, 2.3).

A .jmx is a program: JMeter runs what it finds in `${...}`, in any text. Everything that came from a user goes through
`literal`, so that it stays text.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from capacity.loadtest.generate.plan import BEYOND, Level, LoadPlan
from capacity.loadtest.generate.requests import Request

#: A name that no resolver may answer (RFC 6761: .invalid): where a plan goes that was told no host.
NOWHERE: Final = "no-target.invalid"

#: What the one row of results says, of a plan that was told no host.
NO_TARGET: Final = "No target: run with -Jhost=HOST"

#: Waiting for a connection in ms; for an answer, at least this and at least so many times the SLO's latency.
_CONNECT_MS: Final = 2000
_ANSWER_MS: Final = 10_000
_ANSWER_PER_SLO: Final = 10


def jmx(plan: LoadPlan) -> str:
    """The plan as XML. One thread group a stage, named `step05 170rps`; the target is told by -Jhost, -Jport (none
    for the protocol's own) and -Jprotocol (https), and without a host nothing is driven."""
    root = ET.Element("jmeterTestPlan", version="1.2", properties="2.8", jmeter="2.13")
    tree = ET.SubElement(ET.SubElement(root, "hashTree"), "hashTree")
    _test_plan(root[0], plan)
    _headers(
        tree, [(h.name, literal(h.value) if h.value is not None else _told(h.property_name)) for h in plan.headers]
    )
    _answers_2xx(tree)
    _refuse_without_host(tree)
    for level in plan.levels:
        _thread_group(tree, plan, level)
    ET.indent(root, " ")
    text = ET.tostring(root, encoding="unicode")
    # a parser reads a carriage return as a line feed, unless it is written as a character reference
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text.replace("\r", "&#13;") + "\n"


def literal(text: str) -> str:
    """Text that JMeter takes as it stands. What follows `${` would be run; in a text that JMeter runs at all, a
    backslash before `$`, `,` or a backslash is dropped, in others it stays: so both are written only where needed.

    >>> literal("a\\\\,b"), literal("${__BeanShell(1)}")
    ('a\\\\,b', '${__char(36)}{__BeanShell(1)}')
    """
    return text if "${" not in text else text.replace("\\", "\\\\").replace("${", "${__char(36)}{")


def _test_plan(tree: ET.Element, plan: LoadPlan) -> None:
    name = f"Load test of {plan.service}" if plan.service else "Load test"
    element = _element("TestPlan", "TestPlanGui", literal(name))
    _prop(element, "string", "TestPlan.comments", literal("\n".join(plan.arithmetic)))
    _prop(element, "bool", "TestPlan.functional_mode", "false")
    _prop(element, "bool", "TestPlan.serialize_threadgroups", "false")
    _arguments(element, "TestPlan.user_defined_variables", guiclass="ArgumentsPanel", testclass="Arguments")
    tree.insert(0, element)


def _refuse_without_host(tree: ET.Element) -> None:
    """Before all others a group that does nothing, unless no host was told: then it fails, and stops the test.

    A switch runs the child of its value's name, and the first child when the value is empty: no script is needed.
    """
    inside = _add(tree, _group("SetupThreadGroup", "target", "stoptestnow", threads=1, ramp=1, loops=1))
    switch = _element("SwitchController", "SwitchControllerGui", "told no host?")
    _prop(switch, "string", "SwitchController.value", _told("host"))
    _add(_add(inside, switch), _sampler(NO_TARGET, "GET", "/", NOWHERE, _ANSWER_MS))


def _thread_group(tree: ET.Element, plan: LoadPlan, level: Level) -> None:
    threads = plan.threads(level.rate)
    group = _group("ThreadGroup", level.name, "continue", threads.count, threads.ramp_seconds, loops=-1)
    _prop(group, "bool", "ThreadGroup.scheduler", "true")
    last = min(threads.last_round_seconds, level.seconds // 10)
    _prop(group, "string", "ThreadGroup.duration", str(level.seconds - last))
    _prop(group, "string", "ThreadGroup.delay", str(level.start))
    _prop(group, "bool", "ThreadGroup.delayedStart", "true")  # else the threads of all stages exist all along
    inside = _add(tree, group)
    rate = ET.Element(
        "ConstantThroughputTimer",
        guiclass="TestBeanGUI",
        testclass="ConstantThroughputTimer",
        testname="rate",
        enabled="true",
    )
    _prop(rate, "int", "calcMode", "0")  # this thread: see `Threads`
    _prop(rate, "string", "throughput", f"{60 / threads.cycle_seconds:.10g}")  # a minute
    _add(inside, rate)
    jitter = _element("UniformRandomTimer", "UniformRandomTimerGui", "jitter")
    _prop(jitter, "string", "ConstantTimer.delay", "0")
    _prop(jitter, "string", "RandomTimer.range", str(threads.jitter_ms))
    _add(inside, jitter)
    for request in plan.mix:
        place = inside if len(plan.mix) == 1 else _add(inside, _weight(request))
        _request(place, plan, request, level.judged)


def _weight(request: Request) -> ET.Element:
    element = _element("ThroughputController", "ThroughputControllerGui", literal(request.label))
    _prop(element, "int", "ThroughputController.style", "1")  # percent of the group's rounds
    _prop(element, "bool", "ThroughputController.perThread", "false")
    _prop(element, "int", "ThroughputController.maxThroughput", "1")
    share = ET.SubElement(element, "FloatProperty")
    ET.SubElement(share, "name").text = "ThroughputController.percentThroughput"
    ET.SubElement(share, "value").text = f"{100 * request.share:.10g}"
    ET.SubElement(share, "savedValue").text = "0.0"
    return element


def _request(tree: ET.Element, plan: LoadPlan, request: Request, judged: bool) -> None:
    patience = max(_ANSWER_MS, round(_ANSWER_PER_SLO * plan.slo.ms))
    label = request.label if judged else request.label + BEYOND
    host = f"${{__P(host,{NOWHERE})}}"
    inside = _add(tree, _sampler(literal(label), request.method, request.path, host, patience, request.body))
    if request.body is not None:
        _headers(inside, [("Content-Type", literal(request.content_type))])
    if request.expect:
        _assertion(inside, "answer holds", "Assertion.response_data", 16, literal(request.expect))


def _sampler(label: str, method: str, path: str, host: str, answer_ms: int, body: str | None = None) -> ET.Element:
    element = _element("HTTPSamplerProxy", "HttpTestSampleGui", label)
    values = _arguments(element, "HTTPsampler.Arguments")
    if body is not None:
        _prop(element, "bool", "HTTPSampler.postBodyRaw", "true")
        argument = ET.SubElement(values, "elementProp", name="", elementType="HTTPArgument")
        _prop(argument, "bool", "HTTPArgument.always_encode", "false")
        _prop(argument, "string", "Argument.value", literal(body))
        _prop(argument, "string", "Argument.metadata", "=")
    _prop(element, "string", "HTTPSampler.domain", host)
    _prop(element, "string", "HTTPSampler.port", _told("port"))
    _prop(element, "string", "HTTPSampler.protocol", "${__P(protocol,https)}")
    _prop(element, "string", "HTTPSampler.contentEncoding", "UTF-8")  # else 2.13 sends bodies as Latin-1
    _prop(element, "string", "HTTPSampler.path", literal(path))
    _prop(element, "string", "HTTPSampler.method", method)
    # followed redirects would be told of twice, and a redirect to https would pass for a fast answer
    _prop(element, "bool", "HTTPSampler.follow_redirects", "false")
    _prop(element, "bool", "HTTPSampler.auto_redirects", "false")
    _prop(element, "bool", "HTTPSampler.use_keepalive", "true")
    _prop(element, "bool", "HTTPSampler.DO_MULTIPART_POST", "false")
    _prop(element, "string", "HTTPSampler.connect_timeout", str(_CONNECT_MS))
    _prop(element, "string", "HTTPSampler.response_timeout", str(answer_ms))
    return element


def _answers_2xx(tree: ET.Element) -> None:
    _assertion(tree, "answers 2xx", "Assertion.response_code", 1, "2..")


def _assertion(tree: ET.Element, name: str, field: str, kind: int, pattern: str) -> None:
    """kind: 1 matches a regular expression, 16 holds a text."""
    element = _element("ResponseAssertion", "AssertionGui", name)
    strings = ET.SubElement(element, "collectionProp", name="Asserion.test_strings")  # the misspelling is JMeter's
    _prop(strings, "string", "0", pattern)
    _prop(element, "string", "Assertion.test_field", field)
    _prop(element, "bool", "Assertion.assume_success", "false")
    _prop(element, "int", "Assertion.test_type", str(kind))
    _add(tree, element)


def _headers(tree: ET.Element, headers: list[tuple[str, str]]) -> None:
    if not headers:
        return
    element = _element("HeaderManager", "HeaderPanel", "headers")
    values = ET.SubElement(element, "collectionProp", name="HeaderManager.headers")
    for name, value in headers:
        header = ET.SubElement(values, "elementProp", name="", elementType="Header")
        _prop(header, "string", "Header.name", name)
        _prop(header, "string", "Header.value", value)
    _add(tree, element)


def _group(kind: str, name: str, on_error: str, threads: int, ramp: int, loops: int) -> ET.Element:
    element = _element(kind, f"{kind}Gui", name)
    _prop(element, "string", "ThreadGroup.on_sample_error", on_error)
    loop = ET.SubElement(
        element,
        "elementProp",
        name="ThreadGroup.main_controller",
        elementType="LoopController",
        guiclass="LoopControlPanel",
        testclass="LoopController",
        testname="Loop Controller",
        enabled="true",
    )
    _prop(loop, "bool", "LoopController.continue_forever", "false")
    _prop(loop, "int", "LoopController.loops", str(loops))
    _prop(element, "string", "ThreadGroup.num_threads", str(threads))
    _prop(element, "string", "ThreadGroup.ramp_time", str(ramp))
    return element


def _element(kind: str, gui: str, name: str) -> ET.Element:
    return ET.Element(kind, guiclass=gui, testclass=kind, testname=name, enabled="true")


def _arguments(element: ET.Element, name: str, **classes: str) -> ET.Element:
    arguments = ET.SubElement(element, "elementProp", name=name, elementType="Arguments")
    arguments.attrib.update(classes)
    return ET.SubElement(arguments, "collectionProp", name="Arguments.arguments")


def _prop(element: ET.Element, kind: str, name: str, value: str) -> None:
    ET.SubElement(element, f"{kind}Prop", name=name).text = value


def _add(tree: ET.Element, element: ET.Element) -> ET.Element:
    """Put an element into a tree, followed by the tree of its own children, which comes back."""
    tree.append(element)
    return ET.SubElement(tree, "hashTree")


def _told(name: str) -> str:
    """A property that is told when the test is run; empty where it is not."""
    return f"${{__P({name},)}}"
