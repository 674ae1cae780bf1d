import { z } from 'zod';
import type { GithubExportConfig } from '../../config/exports.ts';
import { ExternalError } from '../../errors.ts';
import { githubConnection, repositoryRoot } from '../../mitigation/targets/github-connection.ts';
import { type Operation, vendorOperations } from '../../mitigation/targets/vendor-request.ts';
import type { ActionLink, ExportDocument, ExportedAction, Exporter, ExportReceipt } from './exporter.ts';
import { githubText, githubTitle } from './github-text.ts';

const issue = z.object({ number: z.number(), html_url: z.string(), body: z.string().nullish() });
type Issue = z.infer<typeof issue>;

const LONGEST_MS = 60_000;
const PAGE = 100;
/** Newest issues, in pages, among which one of an earlier attempt is looked for. */
const PAGES = 5;

interface Place {
  readonly operation: Operation;
  readonly issues: string;
}

/**
 * An issue for each action item. Policy: each carries a mark of its own, by which it is found before another is opened;
 * once it is there it belongs to those who work on it, and is not written again.
 */
export function githubIssues(
  config: GithubExportConfig,
  { installation }: { installation: string },
): Exporter {
  const start = vendorOperations({ ...githubConnection(config), timeoutMs: LONGEST_MS });
  const issues = `${repositoryRoot(config.repository)}/issues`;
  return {
    name: 'github-issues',
    takes: (about) => config.issues && !about.drill && (!about.private || config.private),
    async export(document): Promise<ExportReceipt> {
      const { actions, incident } = document;
      if (actions.length === 0) return { outcome: 'unchanged', text: 'no action item', url: null };
      const place = { operation: start(), issues };
      const marks = new Map(
        actions.map((one) => [one.id, `<!-- llm-incident ${installation} ${incident} action ${one.id} -->`]),
      );
      const found = await marked(place, [...marks.values()]);
      const links: ActionLink[] = [];
      let opened = 0;
      for (const action of actions) {
        const mark = marks.get(action.id) as string;
        const known = found.get(mark);
        const one = known ?? (await open(place, config, { document, action, mark }));
        if (known === undefined) opened += 1;
        links.push({ action: action.id, url: one.html_url, label: `#${one.number}` });
      }
      const outcome = opened === 0 ? 'unchanged' : 'exported';
      const what = opened === 1 ? '1 action item' : `${opened} action items`;
      return { outcome, text: `${what} as GitHub issues`, url: null, links };
    },
  };
}

/** The issues that carry one of those marks, by mark. */
async function marked(
  { operation, issues }: Place,
  marks: readonly string[],
): Promise<ReadonlyMap<string, Issue>> {
  const found = new Map<string, Issue>();
  for (let page = 1; page <= PAGES && found.size < marks.length; page += 1) {
    const query = {
      state: 'all',
      sort: 'created',
      direction: 'desc',
      per_page: String(PAGE),
      page: String(page),
    };
    const shown = await operation.get(issues, z.array(issue), query);
    for (const one of shown) {
      const mark = marks.find((wanted) => one.body?.includes(wanted));
      if (mark !== undefined) found.set(mark, one);
    }
    if (shown.length < PAGE) break;
  }
  return found;
}

async function open(
  { operation, issues: path }: Place,
  config: GithubExportConfig,
  about: { document: ExportDocument; action: ExportedAction; mark: string },
): Promise<Issue> {
  const { action } = about;
  const login = action.owner === null ? undefined : config.assignees[action.owner];
  const body = {
    title: githubTitle(action.text),
    body: bodyOf(about),
    ...(config.labels.length === 0 ? {} : { labels: config.labels }),
  };
  const send = (more: object) =>
    operation.sendFor({ method: 'POST', path, body: { ...body, ...more } }, issue);
  if (login === undefined) return send({});
  try {
    return await send({ assignees: [login] });
  } catch (thrown) {
    // Somebody who may not be assigned here loses no action item; the body names the owner.
    if (thrown instanceof ExternalError && thrown.code === '422') return send({});
    throw thrown;
  }
}

function bodyOf({
  document,
  action,
  mark,
}: {
  document: ExportDocument;
  action: ExportedAction;
  mark: string;
}): string {
  const { incident, title, service } = document;
  const due = action.dueAt === null ? 'no date' : action.dueAt.toISOString().slice(0, 10);
  const about = service === null ? '' : ` (${githubText(service)})`;
  return [
    githubText(action.text),
    `Owner: ${githubText(action.ownerName)}. Due: ${due}.`,
    `From the post-mortem of ${incident}${about}: ${githubText(title)}`,
    mark,
  ].join('\n\n');
}
