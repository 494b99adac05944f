"""Readers of what CI systems read, written from the formats' own rules and not from the code that writes them."""

from __future__ import annotations

import datetime
import gzip
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Command(NamedTuple):
    """One command to a CI system, unescaped."""

    name: str
    properties: dict[str, str]
    data: str


class Case(NamedTuple):
    """One test case as Jenkins shows it; flaky and rerun hold (message, type, stack trace) of each such run."""

    class_name: str
    name: str
    status: str
    message: str
    flaky: list[tuple[str, str, str]]
    rerun: list[tuple[str, str, str]]
    stdout: str


def _need(ok: bool, where: str, why: str) -> None:
    """Raise AssertionError with a sentence unless ok."""
    if not ok:
        raise AssertionError(f"{where}: {why}")


# --- logs: GitHub, Azure, TeamCity

_LINE_END = re.compile(r"\r\n|\r|\n")
# What .NET trims; Python's own lstrip would take U+001C to U+001F as well.
_BLANK = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_BLANK += "\u2028\u2029\u202f\u205f\u3000"
# The runner looks for the second "::" by culture, where characters of no weight between the colons do not count.
_WEIGHTLESS = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e"
_WEIGHTLESS += r"\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
_COLONS = re.compile(f":[{_WEIGHTLESS}]*:")
_GITHUB_NAMES = frozenset(
    [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ]
)
_BREAKS = {"%0D": "\r", "%0A": "\n"}
_V2_DATA = {**_BREAKS, "%25": "%"}
_V2_PROPERTY = {**_BREAKS, "%3A": ":", "%2C": ",", "%25": "%"}
_V1 = {"%3B": ";", **_BREAKS, "%5D": "]", "%25": "%"}
_AZURE = {"%3B": ";", **_BREAKS, "%5D": "]", "%AZP25": "%"}


def _unescape(text: str, escapes: dict[str, str]) -> str:
    """Undo the escapes one after the other, in their order."""
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text


def _properties(text: str, separator: str, escapes: dict[str, str]) -> dict[str, str]:
    """Read key=value pairs; one without a key or a value is dropped, and case does not tell keys apart."""
    found: dict[str, str] = {}
    for part in text.split(separator):
        key, _, value = part.lstrip("=").partition("=")
        value = value.lstrip("=")
        if key and value:
            same = next((known for known in found if known.lower() == key.lower()), key)
            found[same] = _unescape(value, escapes)
    return found


def _bracketed(line: str, prefix: str) -> tuple[str, str, str] | None:
    """Split a line at the first prefix and the first bracket after it: name, properties, data."""
    start = line.find(prefix)
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, properties = line[start + len(prefix) : end].partition(" ")
    return name, properties, line[end + 1 :]


def _github_line(line: str, names: set[str]) -> Command | None:
    """Read one line as the GitHub runner does: the form with colons first, then the one with a bracket."""
    text = line.lstrip(_BLANK)
    if text.startswith("::") and (end := _COLONS.search(text, 2)):
        name, _, rest = text[2 : end.start()].partition(" ")
        if name.lower() in names:
            data = _unescape(text[end.start() + 2 :], _V2_DATA)
            return Command(name.lower(), _properties(rest.strip(_BLANK), ",", _V2_PROPERTY), data)
    parts = _bracketed(line, "##[")
    if parts and parts[0].lower() in names:
        return Command(parts[0].lower(), _properties(parts[1], ";", _V1), _unescape(parts[2], _V1))
    return None


def github(log: str) -> list[Command]:
    """List the commands a GitHub runner obeys in a log, stop-commands and the token that ends it among them."""
    found: list[Command] = []
    names, token = set(_GITHUB_NAMES), ""
    for line in _LINE_END.split(log):
        command = _github_line(line, names)
        if command is None or (token and command.name != token):
            continue
        if token:
            names.discard(token)
            token = ""
        elif command.name == "stop-commands":
            if command.data.lower() in names | {"", "pause-logging"}:
                continue  # The runner refuses such a token: the step fails and nothing is stopped.
            token = command.data.lower()
            names.add(token)
        found.append(command)
    return found


def azure(log: str) -> list[Command]:
    """List the logging commands an Azure Pipelines agent obeys in a log, at most one a line."""
    found = []
    for line in _LINE_END.split(log):
        parts = _bracketed(line, "##vso[")
        name = [part for part in parts[0].lower().split(".") if part] if parts else []
        if parts and len(name) == 2:
            properties = _properties(parts[1], ";", _AZURE)
            found.append(Command(".".join(name), properties, _unescape(parts[2], _AZURE)))
    return found


_TC_START = "##teamcity["
_TC_NAME = re.compile(r"[A-Za-z_$][\w$.-]*")
_TC_VALUE = r"'((?:[^'|\[\]]|\|.)*)'"
_TC_SINGLE = re.compile(rf"[ \t]+{_TC_VALUE}")
_TC_ATTRIBUTE = re.compile(rf"[ \t]+([A-Za-z_$][\w$]*)[ \t]*=[ \t]*{_TC_VALUE}")
_TC_END = re.compile(r"[ \t]*\]")
_TC_ESCAPE = re.compile(r"\|(0x[0-9A-Fa-f]{4}|.)")
_TC_PLAIN = {"n": "\n", "r": "\r", "x": "\x85", "l": "\u2028", "p": "\u2029", "|": "|", "'": "'", "[": "[", "]": "]"}


def _teamcity_value(text: str) -> str:
    """Undo TeamCity's escapes and join the halves of characters beyond U+FFFF."""

    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            return chr(int(escape, 0))
        if escape not in _TC_PLAIN:
            raise ValueError(f"TeamCity knows no escape |{escape}: {text!r}")
        return _TC_PLAIN[escape]

    return _TC_ESCAPE.sub(plain, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _teamcity_message(line: str, start: int) -> tuple[Command, int]:
    """Read the message that starts there, and tell where it ends."""
    name = _TC_NAME.match(line, start + len(_TC_START))
    if name is None:
        raise ValueError(f"a TeamCity message without a name: {line!r}")
    command, at = Command(name[0], {}, ""), name.end()
    if single := _TC_SINGLE.match(line, at):
        command, at = command._replace(data=_teamcity_value(single[1])), single.end()
    else:
        while attribute := _TC_ATTRIBUTE.match(line, at):
            if attribute[1] in command.properties:
                raise ValueError(f"{attribute[1]} stands twice in a TeamCity message: {line!r}")
            command.properties[attribute[1]] = _teamcity_value(attribute[2])
            at = attribute.end()
    end = _TC_END.match(line, at)
    if end is None:
        raise ValueError(f"a TeamCity message goes wrong at {line[at : at + 40]!r}: {line!r}")
    return command, end.end()


def teamcity(log: str) -> list[Command]:
    """List the service messages TeamCity finds in a log; ValueError for one it could not read."""
    found, listening = [], True
    for line in _LINE_END.split(log):
        at = 0
        while (start := line.find(_TC_START, at)) >= 0:
            at = start + len(_TC_START)
            if not listening and not line.startswith("enableServiceMessages", at):
                continue
            command, at = _teamcity_message(line, start)
            listening = command.name != "disableServiceMessages"
            found.append(command)
    return found


# --- XML: the Surefire schema, and Jenkins


def _xml(xml: str) -> ElementTree.Element:
    """Parse XML, or raise AssertionError where it is not well formed."""
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, UnicodeEncodeError) as error:
        raise AssertionError(f"not well-formed XML: {error}") from error


class _Element(NamedTuple):
    """What an element must and may have; children None where it holds text, else their order."""

    required: str = ""
    optional: str = ""
    children: str | None = None
    nillable: bool = False


_AGAIN = _Element(optional="message type", children="stackTrace system-out? system-err?")
_SUREFIRE = {
    "testsuite": _Element(
        "name tests errors skipped failures", "version time timestamp flakes group", "properties? testcase*"
    ),
    "properties": _Element(children="property*"),
    "property": _Element("name value", children=""),
    "testcase": _Element(
        "name time",
        "classname group timestamp",
        "failure* rerunFailure* flakyFailure* skipped? error? rerunError* flakyError* system-out? system-err?",
    ),
    "failure": _Element(optional="message type", nillable=True),
    "error": _Element(optional="message type", nillable=True),
    "skipped": _Element(optional="message", nillable=True),
    **dict.fromkeys(("rerunFailure", "flakyFailure", "rerunError", "flakyError"), _AGAIN),
    **dict.fromkeys(("stackTrace", "system-out", "system-err"), _Element()),
}
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def _is_moment(text: str, zone_needed: bool) -> bool:
    """Tell whether text is a date with a time, such as 2026-11-26T13:04:56+00:00."""
    match = _MOMENT.fullmatch(text)
    if match is None or (zone_needed and not match[7]):
        return False
    try:
        datetime.datetime(*(int(match[index]) for index in range(1, 7)))  # type: ignore[arg-type]
    except ValueError:
        return False
    if match[7] in (None, "Z"):
        return True
    hours, minutes = int(match[7][1:3]), int(match[7][4:])
    return minutes < 60 and (hours, minutes) <= ((23, 59) if zone_needed else (14, 0))


def _surefire_element(element: ElementTree.Element, where: str) -> None:
    """Check one element and all below it against the schema."""
    rule = _SUREFIRE[element.tag]
    attributes = {name: value for name, value in element.attrib.items() if not name.startswith(_XSI)}
    for name in element.attrib.keys() - attributes.keys():
        known = name[len(_XSI) :] in ("noNamespaceSchemaLocation", "schemaLocation", *["nil"] * rule.nillable)
        _need(known, where, f"the attribute {name} may not stand there")
    for name in rule.required.split():
        _need(name in attributes, where, f"the attribute {name} is missing")
    for name, value in attributes.items():
        _need(name in f"{rule.required} {rule.optional}".split(), where, f"the attribute {name} may not stand there")
        trimmed = value.strip(" \t\n\r")
        _need(name != "time" or bool(_FLOAT.fullmatch(trimmed)), where, f"time is no number: {value!r}")
        _need(name != "timestamp" or _is_moment(trimmed, False), where, f"timestamp is no date with a time: {value!r}")
    texts = [element.text or "", *(child.tail or "" for child in element)]
    nil = element.get(_XSI + "nil", "false").strip()
    _need(nil in ("true", "1", "false", "0"), where, f"xsi:nil is {nil!r}")
    _need(nil in ("false", "0") or not "".join(texts), where, "it is nil and has text")
    tags = "".join(f"{child.tag} " for child in element)
    order = "".join(re.sub(r"([\w-]+)(\W?)", r"(?:\1 )\2", child) for child in (rule.children or "").split())
    _need(
        bool(re.fullmatch(order, tags)), where, f"its children are {tags or 'none '}and not {rule.children or 'none'}"
    )
    if rule.children is not None:
        _need(not "".join(texts).strip(" \t\n\r"), where, f"text between its children: {''.join(texts).strip()[:40]!r}")
    _need(rule.children != "" or not "".join(texts), where, "it must be empty")
    for number, child in enumerate(element):
        _surefire_element(child, f"{where}/{child.tag}[{number}]")


def surefire(xml: str) -> None:
    """Check a JUnit report against the schema of Surefire 3.0.2; AssertionError says what breaks it."""
    root = _xml(xml)
    _need(root.tag == "testsuite", root.tag, "the root is not testsuite")
    _surefire_element(root, "testsuite")


def _children(element: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    """Find the direct children of that name, in any namespace."""
    return [child for child in element if child.tag.rpartition("}")[2] == tag]


def _text(element: ElementTree.Element, tag: str) -> str | None:
    """Give the text of the first child of that name, without what stands in elements inside it."""
    for child in _children(element, tag):
        return "".join([child.text or "", *(inner.tail or "" for inner in child)])
    return None


def _kept(output: str | None, failed: bool) -> str | None:
    """Shorten output as Jenkins does: 500 characters at each end, or 50000 where a test failed."""
    half = 50_000 if failed else 500
    units = (output or "").encode("utf-16-le", "surrogatepass")
    over = len(units) // 2 - 2 * half
    if over <= 0:
        return output
    head, tail = (part.decode("utf-16-le", "ignore") for part in (units[: 2 * half], units[-2 * half :]))
    return f"{head}\n...[truncated {over} chars]...\n{tail}"


def _jenkins_case(element: ElementTree.Element, class_name: str | None) -> Case:
    """Read one testcase, or a suite that failed as a whole."""
    name = element.get("name") or ""
    if class_name is None and "." in name:
        class_name, _, name = name.rpartition(".")
    failures = _children(element, "error") or _children(element, "failure")
    skips = _children(element, "skipped")
    status, message = "passed", ""
    if failures:
        status, message = "failed", failures[0].get("message", "")
    if skips:
        status, message = "skipped", skips[0].get("message", _text(element, "skipped") or "")
    flaky, rerun = (
        [
            (run.get("message", ""), run.get("type", ""), _text(run, "stackTrace") or "")
            for run in _children(element, tag)
        ]
        for tag in ("flakyFailure", "rerunFailure")
    )
    output = _kept(_text(element, "system-out"), bool(failures))
    return Case(class_name or "", name or "(?)", status, message, flaky, rerun, output or "")


def _jenkins_suite(suite: ElementTree.Element) -> Iterator[Case]:
    """Read the suites inside a suite, then its own cases; a case without output shows its suite's."""
    for inner in _children(suite, "testsuite"):
        yield from _jenkins_suite(inner)
    elements = [(case, case.get("classname", suite.get("name"))) for case in _children(suite, "testcase")]
    if _children(suite, "error"):
        elements.insert(0, (suite, "<init>"))
    failed = any(_children(case, tag) for case, _ in elements for tag in ("error", "failure"))
    shared = _kept(_text(suite, "system-out"), failed) or ""
    for element, class_name in elements:
        case = _jenkins_case(element, class_name)
        yield case if _children(element, "system-out") else case._replace(stdout=shared)


def jenkins(xml: str) -> list[Case]:
    """Read a JUnit report as Jenkins' junit plugin does with its defaults."""
    if not xml:
        return [Case("", "[empty]", "failed", "", [], [], "")]
    return list(_jenkins_suite(_xml(xml)))


# --- JSON: GitLab, SARIF, CTRF

_MOST = 2**63 - 1
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})"  # A character of a path in a URI, but for the colon.
_UUID = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_FORMS = {
    "text": "(?s:.*)",
    "filled": "(?s:.+)",
    "brief": "(?s:.{1,1024})",
    "short": "(?s:.{0,255})",
    "uri": rf"[A-Za-z][A-Za-z0-9+.-]*:({_PATH}|[:/?#\[\]])+",
    "inside": rf"(?!\.\.?(/|$)|.*/\.{{0,2}}(/|$)){_PATH}+(/({_PATH}|:)*)*",
    "reference": rf"([A-Za-z][A-Za-z0-9+.-]*:|/|)({_PATH}|[:/?#])*",
    "guid": "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}",
    "uuid": _UUID,
    "language": "[a-zA-Z]{2}(-[a-zA-Z]{2})?",
    "quad": r"(?s:.*[0-9]+(\.[0-9]+){3}.*)",
    "semver": r"[0-9]+\.[0-9]+\.[0-9]+",
    "severity": r"[0-9](\.[0-9]+)?|10(\.0+)?",
    "sarifschema": r"https?://\S*sarif\S*2\.1\.0\S*",
    "repopath": r"(?!/|\\|\.\.?/|[A-Za-z]:)(?s:.+)",
}
_BOUNDS = {"integer": (-_MOST, _MOST), "index": (-1, _MOST), "count": (0, _MOST), "one": (1, _MOST), "rank": (-1, 100)}

# A line at the margin names an object, the lines below it its members: a kind and the members of that kind, "!" before
# those that must be there. "=a|b" is one of some words, "x[1..9]" an array of x ("&": all different), "x{}" an object
# of any members that are x. like: begin with another's members; oneof: one of these must be there; others: of what
# kind members may be that are not named.
_TABLE = """
item others=any
  filled !description !check_name !fingerprint; =info|minor|major|critical|blocker !severity; place !location
place others=any oneof=lines,positions
  repopath !path; lines lines; positions positions
lines others=any
  one !begin
positions others=any
  line !begin
line others=any
  one !line

log
  sarifschema !$schema; =2.1.0 !version; run[1..20] !runs; any[] inlineExternalProperties; bag properties
bag others=any
  text[]& tags
run
  tool !tool; result[..25000] !results; invocation[] invocations; details automationDetails; details[]& runAggregates
  =utf16CodeUnits|unicodeCodePoints columnKind; artifact{} originalUriBaseIds; text defaultEncoding
  text defaultSourceLanguage; text[]& redactionTokens; text[1..]& newlineSequences; guid baselineGuid
  language language; any{} conversion externalPropertyFileReferences specialLocations; bag properties
  any[]& artifacts logicalLocations graphs threadFlowLocations taxonomies translations policies webRequests
  any[]& webResponses versionControlProvenance; any[] addresses
details
  text id; message description; guid guid correlationGuid; bag properties
tool
  driver !driver; extension[..100]& extensions; bag properties
extension others=any
  filled !name
driver
  filled !name; rule[..25000]& !rules; text organization product productSuite fullName version semanticVersion
  text releaseDateUtc localizedDataSemanticVersion minimumRequiredLocalizedDataSemanticVersion; language language
  quad dottedQuadFileVersion; uri downloadUri informationUri; string shortDescription fullDescription; guid guid
  string{} globalMessageStrings; any[]& notifications taxa contents supportedTaxonomies; any[] locations
  boolean isComprehensive; any{} associatedComponent translationMetadata; bag properties
rule
  filled !id; short name; description !shortDescription !fullDescription; help !help; configuration defaultConfiguration
  uri helpUri; string{} messageStrings; guid guid; guid[]& deprecatedGuids; text[]& deprecatedIds deprecatedNames
  any[]& relationships; rulebag properties
rulebag others=any
  text[..20]& tags; =very-high|high|medium|low precision; =error|warning|recommendation problem.severity
  severity security-severity
configuration
  boolean enabled; =note|warning|error level; rank rank; bag parameters properties
string
  text !text markdown; bag properties
description
  brief !text; text markdown; bag properties
help
  filled !text; text markdown; bag properties
message oneof=text,id
  text text markdown id; text[] arguments; bag properties
title like=message
  filled !text
result
  title !message; shown[1..10] !locations; prints !partialFingerprints; filled ruleId; count ruleIndex; link rule
  =note|warning|error level; =notApplicable|pass|fail|review|open|informational kind; shown[..1000]& relatedLocations
  flow[] codeFlows; suppression[]& suppressions; text{} fingerprints; artifact analysisTarget; rank rank
  =new|unchanged|updated|absent baselineState; one occurrenceCount; guid guid correlationGuid; uri hostedViewerUri
  uri[]& workItemUris; link[]& taxa; any[]& stacks graphs graphTraversals attachments fixes
  any{} provenance webRequest webResponse; bag properties
prints others=text
  filled !primaryLocationLineHash
location
  count id; physical physicalLocation; message message; logical[]& logicalLocations; region[]& annotations
  relation[]& relationships; bag properties
shown like=location
  inrepo !physicalLocation
physical oneof=address,artifactLocation
  artifact artifactLocation; region region contextRegion; any{} address; bag properties
inrepo like=physical
  inartifact !artifactLocation; bounds !region
artifact
  reference uri; text uriBaseId; index index; message description; bag properties
inartifact like=artifact
  inside !uri
region oneof=startLine,charOffset,byteOffset
  one startLine startColumn endLine endColumn; index charOffset byteOffset; count charLength byteLength
  content snippet; message message; text sourceLanguage; bag properties
bounds like=region
  one !startLine !startColumn !endLine !endColumn
content
  text text binary; string rendered; bag properties
logical
  text name fullyQualifiedName decoratedName kind; index index parentIndex; bag properties
relation
  count !target; text[]& kinds; message description; bag properties
link oneof=index,guid,id
  text id; index index; guid guid; any{} toolComponent; bag properties
flow
  thread[1..] !threadFlows; message message; bag properties
thread
  step[1..] !locations; text id; message message; string{} initialState immutableState; bag properties
step
  shown !location; index index executionOrder; count nestingLevel; =important|essential|unimportant importance
  text[]& kinds; text module; string{} state; moment executionTimeUtc; any{} stack webRequest webResponse
  link[]& taxa; bag properties
suppression
  =inSource|external !kind; =accepted|underReview|rejected status; text justification; location location; guid guid
  bag properties
notification
  message !message; =none|note|warning|error level; location[]& locations; integer threadId; moment timeUtc
  any{} exception; link descriptor associatedRule; bag properties
invocation
  boolean !executionSuccessful; notification[] toolExecutionNotifications toolConfigurationNotifications
  text commandLine exitCodeDescription exitSignalName processStartFailureMessage machine account; text[] arguments
  integer exitCode exitSignalNumber processId; moment startTimeUtc endTimeUtc; text{} environmentVariables
  artifact executableLocation workingDirectory stdin stdout stderr stdoutStderr; artifact[]& responseFiles
  any[]& ruleConfigurationOverrides notificationConfigurationOverrides; bag properties

report
  =CTRF !reportFormat; semver !specVersion; results !results; uuid reportId; filled runId; moment timestamp
  text generatedBy; insights insights; baseline baseline; extra extra
extra others=any
results
  ctrftool !tool; summary !summary; test[] !tests; environment environment; extra extra
ctrftool
  filled !name; text version; extra extra
summary
  count !tests !passed !failed !skipped !pending !other flaky suites; integer !start !stop duration; extra extra
test
  filled !name testId executionId; =passed|failed|skipped|pending|other !status; integer !duration start stop line
  uuid id; text[1..] suite; text message trace snippet ai rawStatus type filePath threadId browser device screenshot
  text[] tags stdout stderr; label{} labels; count retries; attempt[1..] retryAttempts; boolean flaky; any{} parameters
  attachment[] attachments; ctrfstep[] steps; trend insights; extra extra
attempt
  one !attempt; =passed|failed|skipped|pending|other !status; filled attemptId; count duration; integer start stop line
  text message trace snippet; text[] stdout stderr; attachment[] attachments; extra extra
attachment
  text !name !contentType !path; filled attachmentId; extra extra
ctrfstep
  text !name; =passed|failed|skipped|pending|other !status; extra extra
trend
  metric passRate failRate flakyRate averageTestDuration p95TestDuration; integer executedInRuns; extra extra
insights
  metric passRate failRate flakyRate averageRunDuration p95RunDuration averageTestDuration p95TestDuration
  integer runsAnalyzed; extra extra
metric
  number current baseline change
environment
  text reportName appName appVersion buildId buildName buildUrl repositoryName repositoryUrl commit branchName
  text osPlatform osRelease osVersion testEnvironment; filled shardId; integer buildNumber; boolean healthy; extra extra
baseline
  uuid !reportId; moment timestamp; text source buildName commit; integer buildNumber; uri buildUrl; extra extra
"""


class _Shape(NamedTuple):
    """The members of one kind of object."""

    kinds: dict[str, str]
    required: list[str]
    one_of: list[str]
    others: str


def _shapes(table: str) -> dict[str, _Shape]:
    """Read the table of objects."""
    shapes: dict[str, _Shape] = {}
    shape = nothing = _Shape({}, [], [], "")
    for line in filter(None, table.splitlines()):
        if not line.startswith(" "):
            name, *options = line.split()
            given = dict(option.split("=") for option in options)
            old = shapes.get(given.get("like", ""), nothing)
            one_of = given["oneof"].split(",") if "oneof" in given else old.one_of
            shape = shapes[name] = _Shape({**old.kinds}, [*old.required], one_of, given.get("others", ""))
            continue
        for kind, *members in map(str.split, line.split(";")):
            shape.kinds.update((member.removeprefix("!"), kind) for member in members)
            shape.required.extend(member[1:] for member in members if member.startswith("!"))
    return shapes


_SHAPES = _shapes(_TABLE)
_KIND = re.compile(r"(.+?)(?:(\{\})|\[(\d*)\.{0,2}(\d*)\](&?))?")


def _check(value: Any, kind: str, where: str) -> None:  # noqa: C901 - a case for each kind
    """Check a value, and all in it, against a kind of the table."""
    base, mapped, least, most, unique = _KIND.fullmatch(kind).groups()  # type: ignore[union-attr]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if mapped:
        _need(isinstance(value, dict), where, f"{value!r} is no object")
        for name, member in value.items():
            _check(member, base, f"{where}.{name}")
    elif least is not None:
        _need(isinstance(value, list), where, f"{value!r} is no array")
        _need(int(least or 0) <= len(value) <= int(most or _MOST), where, f"{len(value)} items where {kind} is allowed")
        _need(
            not unique or len({json.dumps(item, sort_keys=True) for item in value}) == len(value), where, "equal items"
        )
        for number, item in enumerate(value):
            _check(item, base, f"{where}[{number}]")
    elif base.startswith("="):
        _need(isinstance(value, str) and value in base[1:].split("|"), where, f"{value!r} is not {base[1:]}")
    elif base in _FORMS:
        _need(isinstance(value, str) and bool(re.fullmatch(_FORMS[base], value)), where, f"{value!r} is no {base}")
    elif base in _BOUNDS:
        low, high = _BOUNDS[base]
        right = is_number and (isinstance(value, int) or base == "rank") and low <= value <= high
        _need(right, where, f"{value!r} is no {base}: a number from {low} to {high}")
    elif base in _SHAPES:
        _need(isinstance(value, dict), where, f"{value!r} is no object")
        shape = _SHAPES[base]
        for name in shape.required:
            _need(name in value, where, f"{name} is missing")
        _need(not shape.one_of or any(name in value for name in shape.one_of), where, f"none of {shape.one_of}")
        for name, member in value.items():
            _need(bool(shape.kinds.get(name) or shape.others), where, f"{name} may not stand there")
            _check(member, shape.kinds.get(name, shape.others), f"{where}.{name}")
        _SENSE.get(base, _any)(value, where)
    else:
        _PLAIN[base](value, where)


def _any(value: Any, where: str) -> None:
    """Take everything."""


def _boolean(value: Any, where: str) -> None:
    """Take true and false."""
    _need(isinstance(value, bool), where, f"{value!r} is no boolean")


def _number(value: Any, where: str) -> None:
    """Take a number."""
    _need(isinstance(value, (int, float)) and not isinstance(value, bool), where, f"{value!r} is no number")


def _moment(value: Any, where: str) -> None:
    """Take a date with a time and its zone."""
    _need(isinstance(value, str) and _is_moment(value, True), where, f"{value!r} is no date with a time and zone")


def _label(value: Any, where: str) -> None:
    """Take a string, a number, a boolean or an array of some of them."""
    for item in value if isinstance(value, list) and value else [value]:
        _need(isinstance(item, (str, int, float)), where, f"{item!r} is no label")


def _placeholders(message: Any, where: str) -> None:
    """Check that each {0} in a message has its argument."""
    for text in (message.get("text", ""), message.get("markdown", "")):
        for index in re.findall(r"\{([0-9]+)\}", text.replace("{{", "").replace("}}", "")):
            _need(int(index) < len(message.get("arguments", [])), where, f"{{{index}}} has no argument")


def _order(region: Any, where: str) -> None:
    """Check that a region does not end before it starts."""
    line, column = region.get("startLine", 1), region.get("startColumn", 1)
    end = region.get("endLine", line), region.get("endColumn", _MOST)
    _need(end >= (line, column), where, f"it ends at {end}, before it starts at {(line, column)}")


def _extra_names(extra: Any, where: str) -> None:
    """Check that no extension takes a name that CTRF keeps for itself."""
    for name in extra:
        _need(not name.startswith(("ctrf.", "ctrf/")), where, f"the name {name!r} is CTRF's own")


_PLAIN = {"any": _any, "boolean": _boolean, "number": _number, "moment": _moment, "label": _label}
_SENSE: dict[str, Callable[[Any, str], None]] = {
    **dict.fromkeys(("message", "title"), _placeholders),
    **dict.fromkeys(("region", "bounds"), _order),
    "extra": _extra_names,
}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object of its members, none of which may stand twice."""
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    _need(not twice, "JSON", f"a member stands twice: {twice}")
    return dict(pairs)


def _not_json(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads but JSON does not know."""
    raise AssertionError(f"JSON knows no {constant}")


def _json(text: str) -> Any:
    """Parse strict JSON: no byte order mark, no NaN, no member twice, no half characters."""
    try:
        document = json.loads(text, object_pairs_hook=_members, parse_constant=_not_json)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"not JSON: {error}") from error
    return document


def gitlab(text: str) -> dict[str, dict[str, object]]:
    """Read a Code Quality report by fingerprint, as GitLab keeps it; AssertionError where it would stop reading."""
    document = _json(text)
    _check(document, "item[]", "report")
    return {item["fingerprint"]: item for item in document}


_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]\\]|\\.)*\]\(([0-9]+)\)")


def _sarif_result(result: Any, rules: list[str], where: str) -> None:
    """Check what a result says of its rule and of its own locations."""
    rule, index = result.get("ruleId"), result.get("ruleIndex")
    if index is not None:
        _need(index < len(rules), where, f"there is no rule {index}")
    named = rules if index is None else [rules[index]]
    right = rule is None or "rule" in result or any(f"{rule}/".startswith(f"{known}/") for known in named)
    _need(right, where, f"its rule is {rule!r}, which is not of {named}")
    flows = [thread["locations"] for flow in result.get("codeFlows", []) for thread in flow["threadFlows"]]
    steps = [step["location"] for flow in flows for step in flow]
    _need(len(steps) <= 10_000, where, f"{len(steps)} steps in its code flows are over 10000")
    places = [*result["locations"], *result.get("relatedLocations", []), *steps]
    ids = [place["id"] for place in places if "id" in place]
    _need(len(set(ids)) == len(ids), where, f"two of its locations have one id: {ids}")
    for target in _LINK.findall(result["message"]["text"] + "\n" + result["message"].get("markdown", "")):
        _need(int(target) in ids, where, f"its message links to location {target}, which is not there")


def sarif(text: str) -> None:
    """Check a SARIF log against the 2.1.0 schema and what GitHub code scanning demands of one."""
    document = _json(text)
    _check(document, "log", "log")
    size = len(gzip.compress(text.encode()))
    _need(size <= 10 * 1024 * 1024, "log", f"{size} bytes after gzip are over 10 MB")
    for number, run in enumerate(document["runs"]):
        where = f"log.runs[{number}]"
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        _need(len(set(rules)) == len(rules), where, f"two rules have one id: {rules}")
        for index, result in enumerate(run["results"]):
            _sarif_result(result, rules, f"{where}.results[{index}]")
        prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
        _need(len(set(prints)) == len(prints), where, f"two results have one primaryLocationLineHash: {prints}")


def ctrf(text: str) -> None:
    """Check a CTRF report against the schema of npm's ctrf 0.3.0 and the sense its specification gives the members."""
    document = _json(text)
    _check(document, "report", "report")
    summary, tests = document["results"]["summary"], document["results"]["tests"]
    for number, test in enumerate(tests):
        where, attempts = f"report.results.tests[{number}]", test.get("retryAttempts", [])
        retries, numbers = test.get("retries", len(attempts)), [attempt["attempt"] for attempt in attempts]
        _need(retries == len(attempts), where, f"{retries} retries, but {len(attempts)} attempts")
        _need(numbers == sorted(set(numbers)), where, f"its attempts are not in order: {numbers}")
        failed = any(attempt["status"] == "failed" for attempt in attempts)
        flaky = not test.get("flaky") or (test["status"] == "passed" and failed)
        _need(flaky, where, "it is called flaky, but did not pass after a failed attempt")
    counts = Counter([test["status"] for test in tests] + ["flaky" for test in tests if test.get("flaky")])
    counts["tests"] = len(tests)
    for name in ("tests", "passed", "failed", "skipped", "pending", "other", "flaky"):
        said, where = summary.get(name, counts[name]), "report.results.summary"
        _need(said == counts[name], where, f"{name} is {said}, not {counts[name]}")
    _need(summary["stop"] >= summary["start"], "report.results.summary", "it stops before it starts")
