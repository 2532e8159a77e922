"""Arrow without pandas: what needs none does not import it, and what asks for a DataFrame still gets one."""

import subprocess
import sys

BEGIN = "import sys\nfrom pipeline.arrows import without_pandas\n"
ARRAYS = (
    "import pyarrow as pa\n"
    "table = pa.table({'text': ['a', None], 'number': [1, 2], 'flag': [True, None]})\n"
    "flags = pa.array([True, False]).to_numpy(zero_copy_only=False)\n"
)


def said(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_arrays_import_no_pandas_and_a_data_frame_does() -> None:
    script = (
        f"{BEGIN}without_pandas()\n{ARRAYS}print('pandas' in sys.modules, table.to_pydict(), flags.tolist())\n"
        "print(table.to_pandas()['number'].tolist(), 'pandas' in sys.modules)"
    )
    assert said(script).splitlines() == [
        "False {'text': ['a', None], 'number': [1, 2], 'flag': [True, None]} [True, False]",
        "[1, 2] True",
    ]


def test_pandas_can_be_imported_afterwards_and_is_left_alone_when_it_was_before() -> None:
    assert said(f"{BEGIN}without_pandas()\nimport pandas\nprint(pandas.Series([1]).sum())") == "1\n"
    script = f"{BEGIN}import pandas\nbefore = list(sys.meta_path)\nwithout_pandas()\nprint(before == sys.meta_path)\n"
    script += "import pyarrow as pa\nprint(pa.array(pandas.Series([1, 2])).to_pylist())"
    assert said(script) == "True\n[1, 2]\n"
