// Builds the pages' scripts and styles: every file directly in src/ is an entry of its own, whatever lies deeper is shared.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, defineConfig, type Plugin } from "vite";

const web = resolve(import.meta.dirname, "services/api/web");
const source = resolve(web, "src");
const built = resolve(web, "built");

const entries = readdirSync(source)
  .filter((name) => /\.(ts|scss)$/.test(name) && !name.startsWith("_") && !name.endsWith(".d.ts"))
  .map((name) => resolve(source, name));

/** Beside each text a .br and a .gz, so that no request ever waits for a compressor. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle() {
      for (const name of readdirSync(built).filter((name) => /\.(m?js|css|svg|json|webmanifest)$/.test(name))) {
        const file = resolve(built, name);
        const text = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
        writeFileSync(
          `${file}.br`,
          brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }),
        );
      }
    },
  };
}

/** The service worker is one file without imports: not every browser takes a worker that is a module. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    async closeBundle() {
      await build({
        configFile: false,
        root: web,
        publicDir: false,
        logLevel: "warn",
        build: {
          outDir: built,
          emptyOutDir: false,
          target: ["es2022", "safari16", "chrome107", "firefox104"],
          rolldownOptions: {
            input: resolve(source, "worker/sw.ts"),
            output: { format: "iife", entryFileNames: "sw.js" },
          },
        },
      });
    },
  };
}

/** GOV.UK Frontend hides a rule in a media query that only Internet Explorer takes; the minifier refuses it. */
const withoutOldExplorer = {
  postcssPlugin: "without-old-explorer",
  AtRule: {
    media(rule: { params: string; remove(): void }) {
      if (/: 0[^\w.)]/.test(rule.params)) rule.remove();
    },
  },
};

export default defineConfig({
  root: web,
  base: "/assets/",
  publicDir: false,
  logLevel: "warn",
  plugins: [compressed(), serviceWorker()],
  css: {
    preprocessorOptions: { scss: { loadPaths: [resolve(import.meta.dirname, "node_modules"), source] } },
    postcss: { plugins: [withoutOldExplorer] },
  },
  build: {
    outDir: built,
    emptyOutDir: true,
    assetsDir: "",
    manifest: "manifest.json",
    // A data: address in a style would be an image that no page's policy knows the size of.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MapLibre is one piece of 1.1 MB.
    chunkSizeWarningLimit: 1200,
    target: ["es2022", "safari16", "chrome107", "firefox104"],
    rolldownOptions: {
      input: entries,
      checks: { pluginTimings: false },
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
