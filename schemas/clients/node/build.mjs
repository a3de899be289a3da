// node build.mjs SCHEMAS OUT: builds the package into the folder OUT, from what `stowage schemas --output SCHEMAS` wrote.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [schemas, out] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const read = (path) => JSON.parse(readFileSync(join(schemas, path), 'utf8'));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

// The schemas as the client needs them: clients read the texts in `stowage commands`.
const withoutTexts = (name, value) => (name === 'doc' ? undefined : value);
const commands = read('index.json').map((entry) => ({ ...entry, request: read(entry.request), reply: read(entry.reply) }));
const text = JSON.stringify({ commands, error: read('Error.avsc'), store: read('store.json') }, withoutTexts);

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'dist'), { recursive: true });
// The same source twice: Node takes a file for ESM or CommonJS by the package.json next to it.
for (const [format, type] of [['esm', 'module'], ['cjs', 'commonjs']]) {
  const source = join(here, 'build', format);
  rmSync(source, { recursive: true, force: true });
  cpSync(join(here, 'src'), source, { recursive: true });
  writeFileSync(join(source, 'package.json'), JSON.stringify({ type }));
  writeFileSync(join(source, 'contract.gen.ts'), `export const contract: { commands: object[]; error: object; store: object } = JSON.parse(${JSON.stringify(text)});\n`);
  const folder = join(out, 'dist', format);
  const { compilerOptions } = JSON.parse(readFileSync(join(here, 'tsconfig.json'), 'utf8'));
  writeFileSync(join(source, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, rootDir: '.', outDir: folder }, include: ['*.ts'] }));
  execFileSync(process.execPath, [tsc, '-p', source], { stdio: 'inherit' });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
}
for (const file of ['package.json', 'README.md']) cpSync(join(here, file), join(out, file));
