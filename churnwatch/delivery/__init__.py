"""Files to hand out: the list as a table and a page, and the scores; published whole or not at all."""

from churnwatch.delivery.backtest_page import backtest_html
from churnwatch.delivery.explain_page import explain_html
from churnwatch.delivery.filled import Filled, FilledRow, parse_list_name, read_filled
from churnwatch.delivery.outcome_words import OUTCOMES, Outcomes, Wrong, parse_outcomes
from churnwatch.delivery.page import outreach_html
from churnwatch.delivery.publish import MANIFEST, differences, file_facts, publish, recover, replace_file
from churnwatch.delivery.reading import changed_files, is_another, read_list
from churnwatch.delivery.satisfaction_page import satisfaction_assumptions, satisfaction_html
from churnwatch.delivery.satisfaction_said import satisfaction_warnings
from churnwatch.delivery.scores import scores_parquet
from churnwatch.delivery.signals_page import signals_html
from churnwatch.delivery.table import (
    json_row,
    leavers_csv,
    list_name,
    outreach_csv,
    past_lists_csv,
    quarantine_csv,
    survey_plan_csv,
)
from churnwatch.delivery.workbook import outreach_xlsx

__all__ = [
    "MANIFEST",
    "OUTCOMES",
    "Filled",
    "FilledRow",
    "Outcomes",
    "Wrong",
    "backtest_html",
    "changed_files",
    "differences",
    "explain_html",
    "file_facts",
    "is_another",
    "json_row",
    "leavers_csv",
    "list_name",
    "outreach_csv",
    "outreach_html",
    "outreach_xlsx",
    "parse_list_name",
    "parse_outcomes",
    "past_lists_csv",
    "publish",
    "quarantine_csv",
    "read_filled",
    "read_list",
    "recover",
    "replace_file",
    "satisfaction_assumptions",
    "satisfaction_html",
    "satisfaction_warnings",
    "scores_parquet",
    "signals_html",
    "survey_plan_csv",
]
