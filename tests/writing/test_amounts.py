"""Amounts are written as the Associated Press's stylebook has them.

AP is its entries "numerals", "percent", "dollars", "cents", "times" and "millions, billions"; ours
is what it leaves open. NVIDIA's NeMo-text-processing has cases of the same kinds in
`tests/nemo_text_processing/en/data_inverse_text_normalization`; where it writes otherwise
(`$5 dollar`, `05:30 p.m.`), AP counts.
"""

import pytest

from parakeet_streaming.writing.numbers import NumberRule
from tests.writing.spelling import written_by


@pytest.mark.parametrize(
    ("spoken", "expected", "source"),
    [
        ("nine people", "nine people", "AP numerals: below 10 in words"),
        ("ten people", "10 people", "AP numerals: figures from 10 on"),
        ("twenty three", "23", "AP numerals"),
        ("Twenty-three people came.", "23 people came.", "ours: also where a sentence begins"),
        ("one of them, and no one else", "one of them, and no one else", "AP numerals"),
        ("the first and the twenty first", "the first and the 21st", "AP numerals: ordinals"),
        ("the twenty-first century", "the 21st century", "AP numerals: centuries"),
        ("a hundred times", "a hundred times", "AP numerals: casual uses"),
        ("one hundred and five", "105", "AP numerals"),
        ("five million", "5 million", "AP millions, billions"),
        ("two point three billion", "2.3 billion", "AP millions, billions"),
        ("five million and three", "5,000,003", "AP numerals: commas"),
        ("seven hundred thousand", "700,000", "AP numerals: commas"),
        ("two thousand five", "2005", "ours: four digits are mostly years"),
        ("a twenty-five-year-old man", "a 25-year-old man", "AP ages"),
        ("a ten-minute walk", "a 10-minute walk", "AP numerals"),
        ("a three-year-old", "a three-year-old", "ours: below 10"),
        ("zero point five", "0.5", "AP decimal units"),
        ("three point one four", "3.14", "AP decimal units"),
        ("three one four one five nine two six", "31415926", "ours: digits said one by one"),
        ("four one five, five five five", "415, 555", "ours: a mark ends a number"),
        ("one two", "one two", "ours: two digits may be anything"),
        ("nineteen eighty four", "1984", "AP years"),
        ("the nineteen eighties", "the 1980s", "AP decades"),
        ("twenty four seven", "24 seven", "ours"),
        ("five percent", "5%", "AP percent"),
        ("ninety nine point nine percent", "99.9%", "AP percent"),
        ("ten per cent", "10%", "AP percent"),
        ("five to ten percent", "5 to 10%", "AP percent: both in figures"),
        ("two or three dollars", "2 or $3", "ours, as of percent"),
        ("five dollars", "$5", "AP dollars"),
        ("one dollar", "$1", "AP dollars"),
        ("a five dollar bill", "a $5 bill", "AP dollars"),
        ("a five-dollar bill", "a $5 bill", "AP dollars"),
        ("twenty three dollars and fifty cents", "$23.50", "AP dollars"),
        ("twenty dollars five cents.", "$20.05.", "AP dollars"),
        ("two thousand five hundred dollars", "$2,500", "AP dollars: commas from 1,000"),
        ("five million dollars", "$5 million", "AP dollars: millions"),
        ("four point five million dollars", "$4.5 million", "AP dollars: millions"),
        ("fifty cents", "50 cents", "AP cents"),
        ("five cents", "5 cents", "AP cents"),
        ("ten euros", "€10", "ours: the sign, as of dollars"),
        ("ten thousand yen", "¥10,000", "ours"),
        ("twenty pounds", "20 pounds", "ours: a weight, too"),
        ("twenty pounds sterling", "£20", "ours"),
        ("twenty pounds and fifty pence", "£20.50", "ours"),
        ("five p.m.", "5 p.m.", "AP times"),
        ("five thirty p.m.", "5:30 p.m.", "AP times"),
        ("five oh five AM", "5:05 AM", "AP times; the model's letters stay"),
        ("ten a m", "10 a.m.", "AP times"),
        ("five o'clock", "5 o'clock", "AP times"),
        ("at five thirty we left", "at 5:30 we left", "AP times"),
        ("by two thirty,", "by 2:30,", "AP times"),
        ("at five thirty dollars", "at five $30", "ours: money is no time"),
        ("at ten fifteen people", "at 10 15 people", "ours: nor are people"),
        ("at five", "at five", "ours"),
        ("at twenty five thirty", "at 25 30", "ours"),
        ("a thirty second delay", "a thirty second delay", "ours: two meanings"),
        ("one tenth of it", "one tenth of it", "ours: a fraction"),
        ("ten to six", "ten to six", "ours: a time, or a range"),
        ("ten to twenty people", "10 to 20 people", "AP numerals"),
        ("twenty past eleven", "twenty past eleven", "ours: a time"),
        ("twenty something", "20 something", "ours"),
        ("twenty-five-hundredths", "25-hundredths", "ours: as of ages"),
        ('"twenty three," he said', '"23," he said', "ours: marks stay"),
        ("a five-million-dollar house", "a five-million-dollar house", "ours: stays"),
        ("the one hundredth time", "the 100th time", "AP numerals: ordinals"),
        ("twelve thousandth", "12,000th", "AP numerals: ordinals"),
    ],
)  # fmt: skip
def test_table(spoken, expected, source):
    assert written_by((NumberRule(),), spoken) == expected, source
