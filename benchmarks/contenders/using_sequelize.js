// Sequelize, as its documentation advises: the methods of the associations, include for many owners, bulkCreate.
//
// It speaks what worker.py speaks: a line of JSON in, a line of JSON out. The methods are those of the Python contenders.
"use strict";

const crypto = require("crypto");
const readline = require("readline");
const { Sequelize, DataTypes } = require("sequelize");

const told = JSON.parse(process.argv[2]);
const [store, name, host, port, user, password] = told.place;
const WEIGHT = 7;

const scale = told.scale;
const users = Math.max(10, Math.round(1000 * scale));
const tags = Math.max(10, Math.round(200 * scale));
const work = (amount) => Math.max(4, Math.round(amount * Math.min(1, scale)));
const body = (number) => `Post number ${number}.` + " Declare how models belong together.".repeat(2);
const newPosts = () =>
  Array.from({ length: work(5000) }, (_, at) => at + 1).map((number) => ({
    user_id: (number % users) + 1,
    title: `new post ${number}`,
    body: body(number),
    views: number,
  }));

const database =
  store === "sqlite"
    ? new Sequelize({ dialect: "sqlite", storage: name, logging: false })
    : new Sequelize(name, user, password || null, {
        host,
        port,
        logging: false,
        dialect: store === "postgresql" ? "postgres" : "mysql",
        pool: { max: 1 },
      });

const plainModel = { underscored: true, timestamps: false };
// Functions, as Sequelize writes into what it is given.
const text = () => ({ type: DataTypes.STRING, allowNull: false });
const number = () => ({ type: DataTypes.INTEGER, allowNull: false });
const User = database.define("user", { name: text(), email: text() }, { ...plainModel, tableName: "users" });
const Post = database.define(
  "post",
  { title: text(), body: { type: DataTypes.TEXT, allowNull: false }, views: number(), user_id: number() },
  { ...plainModel, tableName: "posts" },
);
const Tag = database.define("tag", { name: text() }, { ...plainModel, tableName: "tags" });
const PostTag = database.define(
  "post_tag",
  { post_id: { ...number(), primaryKey: true }, tag_id: { ...number(), primaryKey: true }, weight: number() },
  { ...plainModel, tableName: "post_tags" },
);
User.hasMany(Post, { foreignKey: "user_id" });
Post.belongsTo(User, { foreignKey: "user_id" });
Post.belongsToMany(Tag, { through: PostTag, foreignKey: "post_id", otherKey: "tag_id" });
Tag.belongsToMany(Post, { through: PostTag, foreignKey: "tag_id", otherKey: "post_id" });

const somePosts = (offset, limit) => Post.findAll({ order: ["id"], offset, limit });
const theTag = () => Tag.findByPk(tags);
const sum = (lists) => lists.reduce((all, list) => list.reduce((most, tag) => most + tag.post_tag.weight, all), 0);

const operations = {
  async getter() {
    const owners = await User.findAll({ order: ["id"], limit: work(300) });
    return async () => {
      const found = [];
      for (const owner of owners) found.push(await owner.getPosts({ order: ["id"] }));
      return found;
    };
  },
  async getter_mn() {
    const posts = await somePosts(0, work(300));
    return async () => {
      const found = [];
      for (const post of posts) found.push(await post.getTags({ order: ["id"] }));
      return found;
    };
  },
  async getter_mn_read() {
    const getter = await operations.getter_mn();
    return async () => sum(await getter());
  },
  async populate() {
    return () => User.findAll({ include: Post, order: ["id", [Post, "id", "ASC"]] });
  },
  async populate_mn() {
    return () => Post.findAll({ include: Tag, order: ["id", [Tag, "id", "ASC"]] });
  },
  async populate_mn_read() {
    const populate = await operations.populate_mn();
    return async () => sum((await populate()).map((post) => post.tags));
  },
  async hydrate() {
    return () => Post.findAll();
  },
  async has() {
    const posts = await somePosts(0, work(1000));
    const tag = await theTag();
    return async () => {
      const found = [];
      for (const post of posts) found.push(await tag.hasPost(post));
      return found;
    };
  },
  async has_all() {
    const posts = await somePosts(0, work(500));
    const tag = await theTag();
    return () => tag.hasPosts(posts);
  },
  async link() {
    const posts = await somePosts(0, work(1000));
    const tag = await theTag();
    return () => database.transaction((transaction) => tag.addPosts(posts, { through: { weight: WEIGHT }, transaction }));
  },
  async replace() {
    const first = Math.floor(work(500) / 2);
    const posts = await somePosts(first, work(500));
    const tag = await theTag();
    return () => database.transaction((transaction) => tag.setPosts(posts, { through: { weight: WEIGHT }, transaction }));
  },
  async create() {
    const values = newPosts();
    return () =>
      database.transaction(async (transaction) => {
        const made = [];
        for (const each of values) made.push(await Post.create(each, { transaction }));
        return made;
      });
  },
  async create_bulk() {
    const values = newPosts();
    return () => Post.bulkCreate(values);
  },
  async create_records() {
    const values = newPosts();
    const owner = await User.findByPk(1);
    return () =>
      database.transaction(async (transaction) => {
        const made = [];
        for (const { title, body, views } of values) made.push(await owner.createPost({ title, body, views }, { transaction }));
        return made;
      });
  },
};
operations.link_again = operations.link;

const plainPost = (post) => [post.id, post.user_id, post.title, post.body, post.views];
const plainTag = (tag) => [tag.id, tag.name, tag.post_tag.weight];
const plain = {
  getter: (found) => found.map((posts) => posts.map(plainPost)),
  getter_mn: (found) => found.map((list) => list.map(plainTag)),
  populate: (found) => found.map((owner) => [owner.id, owner.name, owner.email, owner.posts.map(plainPost)]),
  populate_mn: (found) => found.map((post) => [...plainPost(post), post.tags.map(plainTag)]),
  hydrate: (found) => found.map(plainPost),
  has: (found) => found.map(Number),
  has_all: Number,
  getter_mn_read: Number,
  populate_mn_read: Number,
};

async function run({ run: operation, compare }) {
  const prepared = await operations[operation]();
  const begun = process.hrtime.bigint();
  const result = await prepared();
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  if (!compare) return { seconds };
  const told = plain[operation] && JSON.stringify(plain[operation](result));
  return { seconds, digest: told ? crypto.createHash("sha256").update(told).digest("hex") : null };
}

async function main() {
  if (store === "sqlite") {
    for (const pragma of ["journal_mode = wal", "synchronous = normal", "foreign_keys = 1"]) await database.query(`PRAGMA ${pragma}`);
  }
  await Post.count();
  const answer = (message) => process.stdout.write(JSON.stringify(message) + "\n");
  answer({
    versions: `Sequelize ${Sequelize.version}, Node ${process.versions.node}`,
    missing: { top3: "it has no query for the first of each owner that SQLite takes for so many" },
  });
  for await (const line of readline.createInterface({ input: process.stdin })) answer(await run(JSON.parse(line)));
  await database.close();
}

main().catch((error) => {
  console.error(`${error.name}: ${error.message}`);
  process.exit(1);
});
