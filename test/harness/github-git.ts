import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { VendorReply, VendorRequest } from './vendor-double.ts';

type Tree = ReadonlyMap<string, string>;
interface Commit {
  n: number;
  message: string;
  tree: string;
  parents: string[];
}
export interface GitPull {
  number: number;
  state: 'open' | 'closed';
  merged_at: string | null;
  title: string;
  body: string;
  head: string;
  base: string;
}
export interface GitIssue {
  number: number;
  title: string;
  body: string;
  assignees: string[];
  labels: string[];
}

/** The history of one repository as GitHub tells it: commits, branches, pull requests and issues. */
export interface GitHistory {
  pulls: GitPull[];
  issues: GitIssue[];
  /** Logins that may be assigned. */
  members: string[];
  branches(): string[];
  read(branch: string, path: string): Buffer | undefined;
  paths(branch: string): string[];
  /** Messages, newest first. */
  log(branch: string): string[];
  /** Somebody at work there; null takes a file away. */
  commitBy(branch: string, files: Record<string, string | null>, message: string): void;
  /** Merges a pull request, with a merge commit. */
  merge(number: number): void;
  answer(path: string, request: VendorRequest): VendorReply | undefined;
}

const BODIES = {
  blob: ['/repos/{owner}/{repo}/git/blobs', 'post'],
  tree: ['/repos/{owner}/{repo}/git/trees', 'post'],
  commit: ['/repos/{owner}/{repo}/git/commits', 'post'],
  ref: ['/repos/{owner}/{repo}/git/refs', 'post'],
  move: ['/repos/{owner}/{repo}/git/refs/{ref}', 'patch'],
  pull: ['/repos/{owner}/{repo}/pulls', 'post'],
  issue: ['/repos/{owner}/{repo}/issues', 'post'],
} as const;

/** The published schemas of what is sent, with nothing in it that is not listed there. */
function validators(): Record<keyof typeof BODIES, ValidateFunction> {
  const folder = dirname(createRequire(import.meta.url).resolve('@octokit/openapi/package.json'));
  // The checker refuses OpenAPI's `nullable` where no type stands beside it.
  const plain = (_: string, value: unknown) => {
    if (typeof value !== 'object' || value === null || 'type' in value || !('nullable' in value))
      return value;
    const { nullable: __, ...rest } = value;
    return rest;
  };
  const { paths } = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'), plain);
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const compiled = Object.entries(BODIES).map(([key, [path, method]]) => {
    const schema = paths[path][method].requestBody.content['application/json'].schema;
    return [key, ajv.compile({ ...schema, additionalProperties: false })];
  });
  return Object.fromEntries(compiled);
}

const valid = validators();
const ok = (body: unknown, status = 200): VendorReply => ({ status, body });
const notFound: VendorReply = { status: 404, body: { message: 'Not Found' } };
const refused = (message: string): VendorReply => ({ status: 422, body: { message } });
const digest = (text: string) => createHash('sha1').update(text).digest('hex');

export function gitHistory(files: Record<string, string>): GitHistory {
  const blobs = new Map<string, Buffer>();
  const trees = new Map<string, Tree>();
  const commits = new Map<string, Commit>();
  const heads = new Map<string, string>();
  const pulls: GitPull[] = [];
  const issues: GitIssue[] = [];
  const members: string[] = [];
  let numbers = 0;

  const keepBlob = (bytes: Buffer) => {
    const sha = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    blobs.set(sha, bytes);
    return sha;
  };
  const keepTree = (tree: Tree) => {
    const sha = digest(JSON.stringify([...tree].sort()));
    trees.set(sha, tree);
    return sha;
  };
  const keepCommit = (commit: Omit<Commit, 'n'>) => {
    const sha = digest(`${commits.size} ${JSON.stringify(commit)}`);
    commits.set(sha, { ...commit, n: commits.size });
    return sha;
  };
  const at = (ref: string): Commit | undefined => commits.get(heads.get(ref) ?? ref);
  const treeAt = (ref: string): Tree => trees.get(at(ref)?.tree ?? '') ?? new Map();
  const ancestors = (sha: string, found = new Set<string>()): Set<string> => {
    if (found.has(sha)) return found;
    found.add(sha);
    for (const parent of commits.get(sha)?.parents ?? []) ancestors(parent, found);
    return found;
  };
  const newestFirst = (ref: string): Commit[] =>
    [...ancestors(heads.get(ref) ?? ref)].flatMap((sha) => commits.get(sha) ?? []).sort((a, b) => b.n - a.n);
  const changes = (commit: Commit, path: string): boolean => {
    const own = trees.get(commit.tree)?.get(path);
    return commit.parents.length === 0
      ? own !== undefined
      : commit.parents.every((parent) => treeAt(parent).get(path) !== own);
  };
  const commitBy: GitHistory['commitBy'] = (branch, changed, message) => {
    const parent = heads.get(branch);
    const tree = new Map(parent === undefined ? [] : treeAt(parent));
    for (const [path, text] of Object.entries(changed)) {
      if (text === null) tree.delete(path);
      else tree.set(path, keepBlob(Buffer.from(text, 'utf8')));
    }
    const parents = parent === undefined ? [] : [parent];
    heads.set(branch, keepCommit({ message, tree: keepTree(tree), parents }));
  };
  commitBy('main', files, 'Begin');

  const contents = (path: string, ref: string): VendorReply => {
    const tree = treeAt(ref);
    const sha = tree.get(path);
    if (sha !== undefined) return ok({ type: 'file', path, sha, encoding: 'none', content: '' });
    const folder = path === '' ? '' : `${path}/`;
    const inside = [...tree].filter(([name]) => name.startsWith(folder));
    const direct = inside.filter(([name]) => !name.slice(folder.length).includes('/'));
    return inside.length === 0
      ? notFound
      : ok(direct.map(([name, id]) => ({ path: name, sha: id, type: 'file' })));
  };
  const shownPull = (pull: GitPull) => ({
    ...pull,
    html_url: `https://github.test/acme/prompts/pull/${pull.number}`,
  });
  const shownIssue = (issue: GitIssue) => ({
    ...issue,
    html_url: `https://github.test/acme/prompts/issues/${issue.number}`,
  });

  const makeTree = (body: unknown): VendorReply => {
    if (!valid.tree(body)) return refused(JSON.stringify(valid.tree.errors));
    const asked = body as { base_tree: string; tree: { path: string; sha: string | null }[] };
    const tree = new Map(trees.get(asked.base_tree) ?? []);
    for (const { path, sha } of asked.tree) {
      if (sha !== null && !blobs.has(sha)) return refused(`tree.sha ${sha} is not a valid blob`);
      if (sha === null && !tree.delete(path)) return refused('GitRPC::BadObjectState');
      if (sha !== null) tree.set(path, sha);
    }
    return ok({ sha: keepTree(tree) }, 201);
  };
  const makeCommit = (body: unknown): VendorReply => {
    if (!valid.commit(body)) return refused(JSON.stringify(valid.commit.errors));
    const { message, tree, parents } = body as { message: string; tree: string; parents: string[] };
    return ok({ sha: keepCommit({ message, tree, parents }) }, 201);
  };
  const makeRef = (body: unknown): VendorReply => {
    if (!valid.ref(body)) return refused(JSON.stringify(valid.ref.errors));
    const { ref, sha } = body as { ref: string; sha: string };
    const branch = ref.replace('refs/heads/', '');
    if (heads.has(branch)) return refused('Reference already exists');
    heads.set(branch, sha);
    return ok({ ref, object: { sha } }, 201);
  };
  const moveRef = (branch: string, body: unknown): VendorReply => {
    if (!valid.move(body)) return refused(JSON.stringify(valid.move.errors));
    const { sha, force } = body as { sha: string; force?: boolean };
    const head = heads.get(branch);
    if (head === undefined) return refused('Reference does not exist');
    if (force !== true && !ancestors(sha).has(head)) return refused('Update is not a fast forward');
    heads.set(branch, sha);
    return ok({ ref: `refs/heads/${branch}`, object: { sha } });
  };
  const openPull = (body: unknown): VendorReply => {
    if (!valid.pull(body)) return refused(JSON.stringify(valid.pull.errors));
    const asked = body as Pick<GitPull, 'title' | 'body' | 'head' | 'base'>;
    if (!heads.has(asked.head) || !heads.has(asked.base)) return refused('Validation Failed: head');
    if (pulls.some(({ head, state }) => head === asked.head && state === 'open'))
      return refused(`Validation Failed: A pull request already exists for acme:${asked.head}.`);
    const { title, body: text, head, base } = asked;
    numbers += 1;
    const pull: GitPull = { number: numbers, state: 'open', merged_at: null, title, body: text, head, base };
    pulls.push(pull);
    return ok(shownPull(pull), 201);
  };
  const openIssue = (body: unknown): VendorReply => {
    if (!valid.issue(body)) return refused(JSON.stringify(valid.issue.errors));
    const { title, body: text, assignees = [], labels = [] } = body as GitIssue;
    const stranger = assignees.find((login) => !members.includes(login));
    if (stranger !== undefined) return refused(`Validation Failed: assignees ${stranger} is invalid`);
    numbers += 1;
    issues.push({ number: numbers, title, body: text, assignees, labels });
    return ok(shownIssue(issues.at(-1) as GitIssue), 201);
  };

  const asked = (path: string, query: URLSearchParams): VendorReply | undefined => {
    const [, branch] = /^\/git\/ref\/heads\/(.+)$/.exec(path) ?? [];
    if (branch !== undefined) {
      const sha = heads.get(branch);
      return sha === undefined ? notFound : ok({ ref: `refs/heads/${branch}`, object: { sha } });
    }
    const [, sha] = /^\/git\/commits\/(.+)$/.exec(path) ?? [];
    if (sha !== undefined)
      return at(sha) === undefined ? notFound : ok({ sha, tree: { sha: at(sha)?.tree } });
    if (path === '/contents' || path.startsWith('/contents/'))
      return contents(path.slice('/contents/'.length), query.get('ref') ?? 'main');
    if (path === '/commits') {
      const of = query.get('path') ?? '';
      const found = newestFirst(query.get('sha') ?? 'main').filter((one) => changes(one, of));
      return ok(
        found.slice(0, Number(query.get('per_page') ?? 30)).map(({ message }) => ({ commit: { message } })),
      );
    }
    if (path === '/pulls') {
      const head = (query.get('head') ?? '').replace(/^acme:/, '');
      return ok(pulls.filter((one) => one.head === head).map(shownPull));
    }
    if (path !== '/issues') return undefined;
    const perPage = Number(query.get('per_page') ?? 30);
    const from = (Number(query.get('page') ?? 1) - 1) * perPage;
    return ok(
      issues
        .toReversed()
        .slice(from, from + perPage)
        .map(shownIssue),
    );
  };
  const made = (path: string, { method, body }: VendorRequest): VendorReply | undefined => {
    if (path === '/git/blobs') {
      if (!valid.blob(body)) return refused(JSON.stringify(valid.blob.errors));
      return ok({ sha: keepBlob(Buffer.from((body as { content: string }).content, 'base64')) }, 201);
    }
    if (path === '/git/trees') return makeTree(body);
    if (path === '/git/commits') return makeCommit(body);
    if (path === '/git/refs') return makeRef(body);
    if (path === '/pulls') return openPull(body);
    if (path === '/issues') return openIssue(body);
    const [, branch] = /^\/git\/refs\/heads\/(.+)$/.exec(path) ?? [];
    return branch !== undefined && method === 'PATCH' ? moveRef(branch, body) : undefined;
  };

  return {
    ...{ pulls, issues, members, commitBy },
    branches: () => [...heads.keys()],
    read: (branch, path) => blobs.get(treeAt(branch).get(path) ?? ''),
    paths: (branch) => [...treeAt(branch).keys()].sort(),
    log: (branch) => newestFirst(branch).map(({ message }) => message),
    merge(number) {
      const pull = pulls.find((one) => one.number === number);
      if (pull === undefined) throw new Error(`no pull request ${number}`);
      const tree = new Map([...treeAt(pull.base), ...treeAt(pull.head)]);
      const parents = [heads.get(pull.base) ?? '', heads.get(pull.head) ?? ''];
      heads.set(
        pull.base,
        keepCommit({ message: `Merge pull request #${number}`, tree: keepTree(tree), parents }),
      );
      Object.assign(pull, { state: 'closed', merged_at: '2026-01-05T10:00:00Z' });
    },
    answer(path, request) {
      const plain = decodeURIComponent(path);
      return request.method === 'GET' ? asked(plain, request.query) : made(plain, request);
    },
  };
}
