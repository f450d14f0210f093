# One image for every process; the command says which:
#   node apps/api/bundle/main.js  ·  node apps/workers/bundle/main.js  ·  node apps/sandbox/bundle/main.js
# and for operators, in a container that runs: node apps/cli/bundle/main.js --help

FROM node:20-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/channels/package.json packages/channels/
COPY apps/api/package.json apps/api/
COPY apps/workers/package.json apps/workers/
COPY apps/sandbox/package.json apps/sandbox/
COPY apps/local/package.json apps/local/
COPY apps/cli/package.json apps/cli/
COPY test/package.json test/

# Not `npm ci`: it refuses a lock file that does not name the optional packages of every platform. --no-save takes the
# versions of the lock file just as strictly.
FROM manifests AS build
RUN npm install --no-save --no-audit --no-fund
COPY tsconfig.base.json ./
COPY packages packages
COPY apps apps
COPY scripts scripts
RUN npx tsc -b apps/api apps/workers apps/sandbox apps/local apps/cli \
    && node -e "import('./scripts/bundle.mjs').then(({ bundle }) => bundle(process.cwd()))"

# What runs needs neither a compiler nor the embedded PostgreSQL, so only these workspaces are installed.
FROM manifests AS production
RUN npm install --no-save --no-audit --no-fund --omit=dev \
    --workspace=@belfry/api --workspace=@belfry/workers --workspace=@belfry/sandbox --workspace=@belfry/cli

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=production /app ./
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
COPY templates templates
USER node
EXPOSE 3000
# The process gets the signals itself, and stops in order within 10 s of SIGTERM.
CMD ["node", "apps/api/bundle/main.js"]
