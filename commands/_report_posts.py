"""A report in a channel: its message, and the files in its thread. All of it shows the figures as they were made."""

from commands._digest import Attachment
from commands._types import Context
from commands.views import charts
from commands.views.blocks import Block
from commands.views.chart_data import Chart, charts_of
from commands.views.report import Extras, files_text, report_blocks, report_text
from commands.views.report_csv import report_csv
from storage.kpis import Figures
from storage.models import Post, PostKind, PostState

FORGOTTEN = "This report is no longer kept. Ask for a new one: `/trace-report`"


def post_report(context: Context, report_id: str, key: str, channel: str, *, shared_by: str = "") -> bool:
    """False where one with this key was posted before. `shared_by`: a mention."""
    posts = context.store.posts
    with context.store.transaction():
        post = posts.create(key, PostKind.REPORT, channel, context.clock(), text=shared_by)
        if post is None:
            return False
        context.store.reports.show(post.id, report_id)
        files = posts.create(f"{key}:files", PostKind.REPORT_FILES, channel, context.clock(), thread=post.id)
        if files is None:
            raise AssertionError("a post and its files are made in one transaction")
        context.store.reports.show(files.id, report_id)
    return True


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """Its pictures are among the blocks as soon as they are in the thread."""
    figures = context.store.reports.of_post(post.id)
    if figures is None:
        return FORGOTTEN, []
    shown = charts_of(figures)
    files = _shared_files(context, post)
    pictures = list(zip(files, shown, strict=False)) if len(files) > len(shown) else []  # the last one is the CSV file
    extras = Extras(pictures=pictures, shared_by=post.text, can_draw=not shown or charts.can_draw() or bool(pictures))
    return report_text(figures), report_blocks(figures, extras)


def draw_files(context: Context, post: Post) -> tuple[str, list[Block]]:
    """The words that go with the files, or stand alone."""
    figures = context.store.reports.of_post(post.id)
    return (files_text(figures, charts_of(figures)) if figures else FORGOTTEN), []


def attachments(context: Context, post: Post) -> list[Attachment]:
    """The pictures, where they can be drawn, and the CSV file."""
    figures = context.store.reports.of_post(post.id)
    if figures is None:
        return [Attachment("report.csv", FORGOTTEN.encode(), "Report")]
    made = [_picture(figures, one) for one in charts_of(figures)] if charts.can_draw() else []
    return [*made, Attachment(f"{name_of(figures)}.csv", report_csv(figures).encode(), "Figures of the report")]


def name_of(figures: Figures) -> str:
    """Of a file, without its ending."""
    return f"report-{figures.team or 'all-teams'}-{figures.window.until:%Y-%m-%d}".replace("/", "-")


def _picture(figures: Figures, chart: Chart) -> Attachment:
    return Attachment(f"{name_of(figures)}-{chart.name}.png", charts.picture(chart), chart.title, chart.alt)


def _shared_files(context: Context, post: Post) -> tuple[str, ...]:
    """Of the files in its thread; a reply that became words alone has a place of its own in Slack, and no files."""
    for reply in context.store.posts.replies(post.id):
        if reply.kind is PostKind.REPORT_FILES and reply.state is PostState.SENT and not reply.ts:
            return reply.files
    return ()
