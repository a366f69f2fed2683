/** Build settings of every package. */
export const shared = {
  entry: { index: 'src/index.ts' } as Record<string, string>,
  format: 'esm' as const,
  target: 'node20',
  // tsup 8.5 sets baseUrl for its d.ts program, which TypeScript 6 deprecates.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  sourcemap: true,
  clean: true,
}
