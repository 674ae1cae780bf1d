import { ExternalError, messageOf } from '../../errors.ts';
import { REPORT_USAGE, type Report, readReportAsked, report as reportVerb } from '../../flow/learn/report.ts';
import { factLine, outsideLine } from '../views/outside-text.ts';
import type { Ask, Subcommand } from './ask.ts';

const SHOWN_CHARS = 2_900;

/** Response times across incidents; only who asks sees the text, and the chart comes as a direct message. */
export const report: Subcommand = async (ask) => {
  const asked = readReportAsked(ask.text);
  if (asked === null) return REPORT_USAGE;
  const made = await reportVerb(ask.flow, asked);
  const chart = await sendChart(ask, made);
  const lines = made.lines.map((line) => factLine(line, 900));
  return [`*${outsideLine(made.title, 150)}*`, ...lines, ...chart].join('\n').slice(0, SHOWN_CHARS);
};

/** A chart that does not arrive is said, and can be asked for again. */
async function sendChart({ flow, userId, origin }: Ask, { title, chart }: Report): Promise<string[]> {
  if (chart === null) return [];
  try {
    await flow.chat.upload({
      key: `report:${origin}`,
      channelId: await flow.chat.directChannel(userId),
      filename: 'time-to-contain.png',
      title,
      content: chart.png,
      altText: chart.alt,
      comment: '',
      retried: false,
    });
    return ['The chart is in your direct messages from me.'];
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return [`The chart could not be sent: ${factLine(messageOf(thrown), 150)}.`];
  }
}
