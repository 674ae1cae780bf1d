import { globSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import {
  isCallExpression,
  isFunctionLikeDeclaration,
  isMethodSignatureDeclaration,
  type Node,
  type SignatureDeclaration,
  type SourceFile,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

const FILE_LINES = 250;
const FUNCTION_LINES = 50;
const PARAMETERS = 3;
/** A file may be longer when its first line says why, in these words. Functions have no such way out. */
const EXCUSE = /^\/\/ Longer than the budget\b.{10,}/;

interface Finding {
  where: string;
  what: string;
  size: number;
  budget: number;
  excuse: string | null;
}

/** Files, functions and parameter lists of `root`/src that are over budget. */
function findingsIn(root: string): { files: number; findings: Finding[] } {
  const files = globSync('src/**/*.ts', { cwd: root }).sort();
  const config = join(root, 'tsconfig.json');
  const api = new API({ cwd: root });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    const findings = files.flatMap((file) => {
      const source = program?.getSourceFile(join(root, file));
      if (source === undefined) throw new Error(`${file} is not part of ${config}`);
      return [...overlongFile(file, source), ...functionFindings(file, source)];
    });
    return { files: files.length, findings };
  } finally {
    api.close();
  }
}

function overlongFile(file: string, { text }: SourceFile): Finding[] {
  const size = text.trimEnd().split('\n').length;
  const [firstLine = ''] = text.split('\n', 1);
  const excuse = EXCUSE.test(firstLine) ? firstLine.replace(/^\/\/ /, '') : null;
  return size > FILE_LINES
    ? [{ where: file, what: 'lines in the file', size, budget: FILE_LINES, excuse }]
    : [];
}

function functionFindings(file: string, source: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const visit = (node: Node): undefined => {
    if (isFunctionLikeDeclaration(node) || isMethodSignatureDeclaration(node)) {
      findings.push(...overBudget(node, { file, source }));
    }
    node.forEachChild(visit);
  };
  visit(source);
  return findings;
}

function overBudget(
  node: SignatureDeclaration,
  { file, source }: { file: string; source: SourceFile },
): Finding[] {
  const start = node.getStart(source);
  const line = linesIn(source.text.slice(0, start));
  const where = `${file}:${line}`;
  const size = isGroupOfTests(node, source) ? 0 : linesIn(source.text.slice(start, node.end));
  const parameters = node.parameters.filter((parameter) => parameter.name.getText(source) !== 'this').length;
  return [
    { where, what: 'lines in the function', size, budget: FUNCTION_LINES, excuse: null },
    { where, what: 'positional parameters', size: parameters, budget: PARAMETERS, excuse: null },
  ].filter((finding) => finding.size > finding.budget);
}

/** What is handed to `describe` is a chapter of tests, each of them measured by itself. */
function isGroupOfTests({ parent }: Node, source: SourceFile): boolean {
  return isCallExpression(parent) && /^describe\b/.test(parent.expression.getText(source));
}

const linesIn = (text: string) => text.split('\n').length;

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const { files, findings } = findingsIn(root);
const unexcused = findings.filter((finding) => finding.excuse === null);
for (const { where, what, size, budget, excuse } of findings) {
  const path = relative(root, resolve(root, where));
  console.log(
    `${excuse === null ? 'over   ' : 'excused'}  ${path.padEnd(48)} ${size} ${what} (${budget}) ${excuse ?? ''}`,
  );
}
console.log(
  `budgets: ${files} files, ${unexcused.length} over, ${findings.length - unexcused.length} excused`,
);
if (files === 0 || unexcused.length > 0) process.exitCode = 1;
