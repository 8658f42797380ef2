"""The recipes in TypeScript are right by the types of what they use."""

from __future__ import annotations

from pathlib import Path

from tests.recipes.recipe import give, run, write_files

PAGES = ["src/coze-chat.ts", "src/CozeChat.tsx", "src/App.tsx", "src/pages/chat/index.tsx"]
WRONG = {
    "onRefreshToken: cozeToken": "onRefreshToken: token",  # of @coze/chat-sdk
    "createSession(options)": "createSession({ ...options, guest: 1 })",  # of coze-session
}


def test_the_types_agree_and_do_see_a_wrong_option(project: Path) -> None:
    folder = project / "types"
    give(folder, "types")
    write_files(folder, *PAGES, endpoint="https://sts.example.com")
    write_files(folder / "src", "coze-token.js", endpoint="https://sts.example.com")
    for page in PAGES:
        twin = folder / page.replace("src/", "src/wrong/")
        twin.parent.mkdir(parents=True, exist_ok=True)
        text = (folder / page).read_text()
        for right, wrong in WRONG.items():
            text = text.replace(right, wrong)
        twin.write_text(text)
    write_files(folder / "src" / "wrong", "coze-token.js", endpoint="https://sts.example.com")
    faults = run("tsc", folder=folder).stdout.splitlines()
    places = [line.partition("(")[0] for line in faults if line.startswith("src/")]
    assert places == ["src/wrong/coze-chat.ts", "src/wrong/pages/chat/index.tsx"], faults
