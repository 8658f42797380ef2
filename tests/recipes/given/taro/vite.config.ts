import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const source = (name: string) => fileURLToPath(new URL(`src/${name}`, import.meta.url));

export default defineConfig({
  plugins: [react()],
  logLevel: "warn",
  build: { chunkSizeWarningLimit: 2000 },
  resolve: {
    alias: [
      { find: /^@coze\/chat-sdk$/, replacement: source("chat-sdk.ts") },
      { find: "@tarojs/components", replacement: source("components.tsx") },
      { find: /^react(-dom)?(?=\/|$)/, replacement: "react$1-18" }, // Coze's build needs it
    ],
  },
});
