import { z } from 'zod';
import type { GithubExportConfig } from '../../config/exports.ts';
import { ExternalError } from '../../errors.ts';
import { githubConnection, repositoryRoot } from '../../mitigation/targets/github-connection.ts';
import { refusal, retold } from '../../mitigation/targets/vendor-errors.ts';
import { vendorOperations } from '../../mitigation/targets/vendor-request.ts';
import { exportPath, folderOf } from './export-path.ts';
import type { ExportDocument, Exporter, ExportReceipt } from './exporter.ts';
import {
  changedByOthers,
  differing,
  type GithubAt,
  headOf,
  makeCommit,
  setBranch,
  type WantedFile,
} from './github-branch.ts';
import { githubText, githubTitle } from './github-text.ts';
import { withoutRoomFiles } from './room-files.ts';

const pull = z.object({
  number: z.number(),
  html_url: z.string(),
  state: z.string(),
  merged_at: z.string().nullish(),
});
type Pull = z.infer<typeof pull>;

/** All requests of one export together. */
const LONGEST_MS = 60_000;
/** Pull requests that one incident may have had, each merged before the next. */
const MOST_PULLS = 20;

type Config = GithubExportConfig;

/**
 * The post-mortem and the eval cases in one branch and one pull request an incident. Policy: exporting again adds a
 * commit to that branch, or none where nothing differs; after a merge the next one follows; what a person changed or
 * closed is left alone. Everything is looked up at GitHub, so that a crash between two steps repeats none.
 */
export function githubPullRequest(config: Config, { installation }: { installation: string }): Exporter {
  const start = vendorOperations({ ...githubConnection(config), timeoutMs: LONGEST_MS });
  const root = repositoryRoot(config.repository);
  return {
    name: 'github',
    takes: (about) => !about.drill && (!about.private || config.private),
    export(document) {
      const trailer = `llm-incident: ${document.incident} of ${installation}`;
      return exportTo({ operation: start(), root, trailer }, { config, document, installation });
    },
  };
}

interface Wanted {
  readonly config: Config;
  readonly document: ExportDocument;
  readonly installation: string;
}

async function exportTo(at: GithubAt, wanted: Wanted): Promise<ExportReceipt> {
  const { config, document, installation } = wanted;
  const files = filesOf(config, document);
  for (let nth = 1; nth <= MOST_PULLS; nth += 1) {
    const suffix = nth === 1 ? '' : `-${nth}`;
    const branch = `llm-incident/${document.incident.toLowerCase()}-${installation}${suffix}`;
    const found = await pullOf(at, config, branch);
    if (found?.merged_at != null) continue;
    if (found !== undefined && found.state !== 'open')
      return left(found, `the pull request #${found.number} was closed, so nothing was sent to it`);
    return await keepOn(at, wanted, { branch, found, files });
  }
  const why = `there are ${MOST_PULLS} merged pull requests of ${document.incident} already`;
  throw refusal('GitHub', 'TOO_MANY', why);
}

async function keepOn(
  at: GithubAt,
  { config, document }: Wanted,
  { branch, found, files }: { branch: string; found: Pull | undefined; files: readonly WantedFile[] },
): Promise<ExportReceipt> {
  const head = await headOf(at, branch);
  const parent = head ?? (await headOf(at, config.branch));
  if (parent === undefined) throw refusal('GitHub', '404', `there is no branch ${config.branch}`);
  const theirs = head === undefined ? undefined : await changedByOthers(at, head, textsIn(files));
  if (theirs !== undefined)
    return left(found, `somebody changed ${theirs} on the branch ${branch}, so nothing was sent to it`);
  const changed = await differing(at, parent, files);
  const message = `Post-mortem and eval cases of ${document.incident}`;
  const to = changed.length === 0 ? undefined : await makeCommit(at, { parent, files: changed, message });
  if (to === undefined && head === undefined)
    return { outcome: 'unchanged', text: `${config.branch} holds it already`, url: null };
  if (to !== undefined) await setBranch(at, { branch, to, isNew: head === undefined }).catch(explainRace);
  const opened = found ?? (await openPull(at, { config, document, branch }));
  const isNews = found === undefined || to !== undefined;
  const text = `${found === undefined ? '' : 'updated '}pull request #${opened.number}`;
  return { outcome: isNews ? 'exported' : 'unchanged', text, url: opened.html_url };
}

function left(found: Pull | undefined, text: string): ExportReceipt {
  return { outcome: 'left', text, url: found?.html_url ?? null };
}

/** Files that people edit; pictures are ours alone. */
const textsIn = (files: readonly WantedFile[]) =>
  files.filter(({ path }) => /\.(?:md|ya?ml|jsonl)$/.test(path));

/** The newest of that branch. */
async function pullOf(
  { operation, root }: GithubAt,
  config: Config,
  branch: string,
): Promise<Pull | undefined> {
  const [owner = ''] = config.repository.split('/');
  const query = { head: `${owner}:${branch}`, state: 'all', per_page: '10' };
  const found = await operation.get(`${root}/pulls`, z.array(pull), query);
  return found.find(({ state }) => state === 'open') ?? found.toSorted((a, b) => b.number - a.number)[0];
}

async function openPull(
  { operation, root }: GithubAt,
  { config, document, branch }: { config: Config; document: ExportDocument; branch: string },
): Promise<Pull> {
  const { incident, title, service, cases } = document;
  const proven = cases.filter((one) => one.proven).length;
  const about = service === null ? '' : ` in ${githubText(service)}`;
  const evals =
    cases.length === 0
      ? ''
      : ` with ${cases.length} eval cases, ${proven} of them proven on recorded outputs`;
  const body = [
    `The post-mortem of ${incident}${about}${evals}.`,
    'It is written from the record of the incident. When it is written again, a commit is added here; once somebody has changed a file on this branch, nothing is sent to it any more.',
  ].join('\n\n');
  const asked = {
    title: githubTitle(`Post-mortem of ${incident}: ${title}`),
    ...{ head: branch, base: config.branch, body, maintainer_can_modify: true },
  };
  return operation.sendFor({ method: 'POST', path: `${root}/pulls`, body: asked }, pull);
}

/**
 * Where what is where. Policy: pictures stand beside the document, as it refers to them; cases that are gone are taken
 * away again.
 */
function filesOf(config: Config, document: ExportDocument): WantedFile[] {
  const markdown = exportPath(config.postmortem_path, document);
  const evals = exportPath(config.evals_path, document);
  const textOf = (name: string) => document.files.find((one) => one.name === name)?.text;
  const whole = { markdown: textOf('postmortem.md') ?? '', pictures: [...document.pictures] };
  const sent = config.room_files ? whole : withoutRoomFiles(whole);
  const wanted = (path: string, text: string | undefined): WantedFile => {
    return { path, read: text === undefined ? null : async () => Buffer.from(text, 'utf8') };
  };
  return [
    wanted(markdown, sent.markdown),
    wanted(evals, textOf('evals.yaml')),
    wanted(evals.replace(/\.ya?ml$/, '.jsonl'), textOf('evals.jsonl')),
    ...sent.pictures.map(({ path, read }) => ({ path: folderOf(markdown) + path, read })),
  ];
}

/** Somebody was first: it is looked at again. */
function explainRace(thrown: unknown): never {
  const isRace = thrown instanceof ExternalError && thrown.code === '422';
  if (isRace && /fast.?forward|already exists/i.test(thrown.message))
    throw retold(thrown, { message: thrown.message, retryable: true });
  throw thrown;
}
