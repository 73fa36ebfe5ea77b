# One image for every role: ROLE says which. Debian, because the embedded PostgreSQL needs glibc.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY tracker ./tracker
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Install scripts run here, where they may write: the embedded PostgreSQL's makes the links between its
# libraries, which a process on a read-only file system could not.
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/tracker/dist ./tracker/dist
COPY bin ./bin
COPY package.json LICENSE NOTICE THIRD_PARTY_NOTICES.md ./
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell between the signal and the process, which handles what PID 1 gets no defaults for.
ENTRYPOINT ["node", "--max-old-space-size=224", "--max-semi-space-size=16", "--enable-source-maps", "dist/main.js"]
