"""The closed grammar: what it takes, and what an attacker cannot get through it."""

import time

import pytest

from bioconv.ground.errors import ExpressionError
from bioconv.neurons.language.expressions import parse_expression
from bioconv.neurons.language.grammar import (
    Assignment,
    check_name,
    check_text,
    parse_equations,
    parse_statements,
)

NAMES = frozenset({"v", "v_th", "tau", "u"})


@pytest.mark.parametrize(
    "text",
    [
        "v",
        "-v / tau",
        "(v_th - v) / tau + 0.04 * v**2 + 1e-3",
        "v >= v_th and not (u < 3 * mV or t == 0 * ms)",
        "clip(v, 0, 1) * exp(-dt / tau) + exprel(v) - int(v > 1)",
        "1 / (1 + exp(-(v + 40 * mV) / (9 * mV)))",
        "v**-2 + v**0.5",
        ".5 * v",
    ],
)
def test_expressions_of_the_language_are_taken(text):
    parse_expression(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "exec(v)",
        "open(v)",
        "v.__class__",
        "v.real",
        "(lambda: 0)()",
        "[v for v in v]",
        "v[0]",
        "{v}",
        "'v'",
        'v"',
        "f'{v}'",
        "v\n+ u",
        "v\r",
        "v\\",
        "v; u",
        "v : u",
        "v # u",
        "v := 3",
        "v if u else tau",
        "v = 3",
        "*v",
        "clip(*v)",
        "clip(v, a_min=0, a_max=1)",
        "exp(v, u)",
        "exp",
        "exp + 1",
        "v(3)",
        "v % 2",
        "v // 2",
        "v @ u",
        "v & u",
        "~v",
        "0 < v < 1",
        "v is u",
        "v in u",
        "True",
        "None",
        "...",
        "1j * v",
        "0x10",
        "1_000",
        "1e999",
        "ν",
        "ｖ",
        "v\u2028u",
        "v\x00",
        "mystery",
        "_v",
        "xi",
        "print(1)",
        "",
        "   ",
        "v +",
        "((v)",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ExpressionError):
        parse_expression(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "v**21",
        "(v**20)**20",
        "((10**15 + v)**20)**20",
        "2**v",
        "exp(exp(v))",
        "exp(sinh(30.0))",
        "99999999999999999999",
        "(" * 60 + "v" + ")" * 60,
        "-" * 5000 + "v",
        "+".join(["v"] * 5000),
        "*".join(["v"] * 100),
        "v" * 9000,
    ],
)
def test_what_would_exhaust_memory_is_refused_quickly(text):
    start = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse_expression(text, NAMES)
    assert time.perf_counter() - start < 2


def test_sub_expressions_cannot_blow_up():
    doubling = ["a0 = v + v : volt"]
    doubling += [f"a{i} = a{i - 1} + a{i - 1} : volt" for i in range(1, 40)]
    powers = ["a0 = v**20 : volt", "a1 = a0**20 : volt"]
    towers = ["a0 = exp(v) : volt", "a1 = exp(a0) : volt"]
    for lines in (doubling, powers, towers):
        with pytest.raises(ExpressionError, match="too large"):
            parse_equations("\n".join(lines), {"v"})


def test_unknown_names_and_calls_are_named_in_the_message():
    with pytest.raises(ExpressionError, match="'mystery'.*tau, u, v, v_th"):
        parse_expression("v + mystery", NAMES)
    with pytest.raises(ExpressionError, match=r"'system\(v\)'"):
        parse_expression("1 + system(v)", NAMES)


@pytest.mark.parametrize("name", ["v", "i_offset", "V2", "tau_syn_exc", "w", "a" * 64])
def test_plain_names_are_taken(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "_v", "__v__", "a__b", "2v", "v w", "v\n", "v'", 'v"', "é", "ｖ", "a" * 65, "lambda"]
    + ["t", "dt", "xi", "xi_1", "i", "N", "mV", "exp", "int", "refractory", "lastspike", "v_pre"]
    + ["double", "namespace", "emit_spike", "update", "v;", "v.w", None, 3],
)
def test_other_names_are_refused(name):
    with pytest.raises(ExpressionError):
        check_name(name)


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", 'a"""b', "a\\", "*/", "/*", "a\u2028b", "{x}", "`", "x" * 1001, None]
)
def test_comments_cannot_leave_their_line(text):
    with pytest.raises(ExpressionError):
        check_text(text, "The source")


def test_statements_become_assignments():
    found = parse_statements("v -= v_th - u\n\nu = 3*mV\nu *= 2", NAMES, {"v", "u"})
    assert found == (
        Assignment("v", "v - (v_th - u)"),
        Assignment("u", "3*mV"),
        Assignment("u", "u * (2)"),
    )
    assert parse_statements("", NAMES, {"v"}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "v_th = 3",
        "v == 3",
        "v /= 3",
        "v = u = 3",
        "v, u = 3",
        "v",
        "del v",
        "import os",
        "v = 3; u = 4",
        "v.x = 3",
        "v: int = 3",
        "v = yield",
        "x = 3",
    ],
)
def test_other_statements_are_refused(text):
    with pytest.raises(ExpressionError):
        parse_statements(text, NAMES, {"v", "u"})


def test_equations_are_parsed():
    found = parse_equations(
        "dv/dt = (u - v) / tau + i_a : volt (unless refractory)\ni_a = u / tau : volt/second",
        {"v", "u", "tau"},
    )
    assert [e.name for e in found] == ["v", "i_a"]
    assert found[0].unless_refractory and found[0].differential and not found[1].differential
    assert found[1].dimension == "volt/second"


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = v : volt (event-driven)",
        "x = v : volt (unless refractory)",
        "dv/dt = v : metre",
        "dv/dt = v : volt) + evil(",
        "dv/dt = v",
        "v : volt",
        "dv/dt = v : volt # comment",
        "dv/dt = v : volt\ndv/dt = u : volt",
        "a = b : volt\nb = a : volt",
        "a = a : volt",
        "dt/dt = v : second",
        "dv/du = v : volt",
        "dv/dt = randn() / ms : volt",
        "dv/dt = v / ms : volt (constant over dt)",
        "dv/dt = xi__a * v / ms : volt",
        "dv/dt = xi_lambda * v / ms : volt",
        "a = randn() * v : volt",
        "a = xi * v : volt",
        "a = xi * v : volt (constant over dt)",
        "a = randn(3) * v : volt (constant over dt)",
        "a = randn * v : volt (constant over dt)",
        "a = rand() * v : volt (constant over dt)",
        "xi = v : volt",
        "randn = v : volt (constant over dt)",
        "x" * 30_000,
        7,
    ],
)
def test_other_equations_are_refused(text):
    with pytest.raises(ExpressionError):
        parse_equations(text, {"v", "u"})
