// What each verifier of examples/verify/ needs and how it is built and run; holds no token and no verdict.

import type { Command } from '../program.js'

/** `needs` are programs on the PATH; the commands are run in `folder`, which is beneath the current one. */
export interface Example { language: string, folder: string, needs: string[], build: Command[], run: Command }

/** examples/verify/README.md shows the same commands. */
export const EXAMPLES: Example[] = [
  {
    language: 'node',
    folder: 'examples/verify/node',
    needs: ['npm'],
    build: [['npm', 'ci', '--ignore-scripts']],
    run: ['node', 'main.js'],
  },
  {
    language: 'python',
    folder: 'examples/verify/python',
    needs: ['python3'],
    build: [['python3', '-m', 'venv', '.venv'], ['.venv/bin/pip', 'install', '-q', '-r', 'requirements.txt']],
    run: ['.venv/bin/python', 'main.py'],
  },
  {
    language: 'go',
    folder: 'examples/verify/go',
    needs: ['go'],
    build: [['go', 'build', '-o', 'bin/', '.']],
    run: ['bin/verify'],
  },
  {
    language: 'java',
    folder: 'examples/verify/java',
    needs: ['javac', 'mvn'],
    build: [['mvn', '-q', 'package']],
    run: ['java', '-jar', 'target/verify.jar'],
  },
  {
    language: 'rust',
    folder: 'examples/verify/rust',
    needs: ['cargo'],
    build: [['cargo', 'build', '-q', '--locked']],
    run: ['cargo', 'run', '-q', '--locked'],
  },
]
