// Makes the two files that pages load out of src/.
import { build } from "esbuild";

const common = {
  bundle: true,
  tsconfigRaw: {}, // what checks the types changes nothing of the result
  minify: true,
  target: ["chrome91", "firefox90", "safari15"],
  // Names that stay within the file, unlike options, the browser's own and what tabs say.
  mangleProps:
    /^(checkPause|failures|flight|heard|isGood|online|pause|refusals|refuse|rest|steady|tickets)$/,
  banner: { js: "/* coze-session 0.1.0, Apache-2.0 */" },
};
const esm = { entryPoints: ["src/index.js"], format: "esm", outfile: "coze-session.js" };
const classic = {
  entryPoints: ["src/classic.js"],
  format: "iife",
  outfile: "coze-session.classic.js",
};
await Promise.all([esm, classic].map((form) => build({ ...common, ...form })));
