import { extname } from 'node:path'
import ts from 'typescript'

/** One module that a source file names. */
export interface Import {
  readonly specifier: string
  /** 1-based. */
  readonly line: number
  /** Erased by the compiler: `import type`, `export type`, `import('x').Name`. */
  readonly typeOnly: boolean
}

/**
 * Every import, export-from, dynamic import(), require() and require.resolve() of a source file whose module is a
 * plain string, in the order of the text.
 */
export function importsOf(path: string, text: string): Import[] {
  const source = parseSource(path, text)
  const found: Import[] = []
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
    found.push({ specifier: node.text, line, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly || allTypes(node.exportClause))
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isExternalModuleReference(node)) add(node.expression, false)
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Parses a file by the language that its name says. */
export function parseSource(path: string, text: string): ts.SourceFile {
  const kind = ['.ts', '.mts', '.cts'].includes(extname(path)) ? ts.ScriptKind.TS : ts.ScriptKind.JS
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind)
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  return clause.name === undefined && allTypes(clause.namedBindings)
}

function allTypes(names: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (names === undefined || !(ts.isNamedImports(names) || ts.isNamedExports(names))) return false
  return names.elements.length > 0 && names.elements.every((element) => element.isTypeOnly)
}

/** import, require, require.resolve and import.meta.resolve. */
function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  return ['require', 'require.resolve', 'import.meta.resolve'].includes(callee.getText())
}
