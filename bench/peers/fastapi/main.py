"""The same reads and one write in FastAPI, Pydantic and SQLAlchemy (asyncpg), as their documentation has it."""

import datetime
import os
import uuid
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, DateTime, ForeignKey, Text, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, defer, joinedload, mapped_column, relationship

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class Table(DeclarativeBase):
    type_annotation_map = {datetime.datetime: DateTime(timezone=True), list[str]: ARRAY(Text)}


class User(Table):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str]


class Post(Table):
    __tablename__ = "posts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    slug: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str]
    body_html: Mapped[str]
    tags: Mapped[list[str]]
    status: Mapped[str]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    published_at: Mapped[datetime.datetime | None]
    author: Mapped[User] = relationship()


class Comment(Table):
    __tablename__ = "comments"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Post.id))
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    body: Mapped[str]
    body_html: Mapped[str]
    created_at: Mapped[datetime.datetime]
    author: Mapped[User] = relationship()


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ShownUser(Shown):
    id: uuid.UUID
    username: str


class ShownSummary(Shown):
    id: uuid.UUID
    slug: str
    title: str
    summary: str
    tags: list[str]
    status: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    published_at: datetime.datetime | None
    author: ShownUser


class ShownPost(ShownSummary):
    body: str
    body_html: str


class ShownComment(Shown):
    id: uuid.UUID
    post_id: uuid.UUID
    body: str
    body_html: str
    created_at: datetime.datetime
    author: ShownUser


class NewComment(BaseModel):
    body: str


async def session():
    async with sessions() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]
Limit = Annotated[int, Query(ge=1, le=100)]


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/v1/posts")
async def list_posts(db: Db, limit: Limit = 20) -> list[ShownSummary]:
    query = select(Post).options(joinedload(Post.author), defer(Post.body), defer(Post.body_html))
    query = query.where(Post.status == "published").order_by(Post.published_at.desc(), Post.id.desc()).limit(limit)
    return (await db.scalars(query)).all()


@app.get("/v1/posts/{post_id}")
async def read_post(post_id: uuid.UUID, db: Db) -> ShownPost:
    post = await db.scalar(select(Post).options(joinedload(Post.author)).where(Post.id == post_id))
    if post is None:
        raise HTTPException(404)
    return post


@app.get("/v1/posts/{post_id}/comments")
async def list_comments(post_id: uuid.UUID, db: Db, limit: Limit = 20) -> list[ShownComment]:
    query = select(Comment).options(joinedload(Comment.author)).where(Comment.post_id == post_id)
    return (await db.scalars(query.order_by(Comment.created_at, Comment.id).limit(limit))).all()


@app.post("/v1/posts/{post_id}/comments", status_code=201)
async def create_comment(post_id: uuid.UUID, new: NewComment, db: Db) -> ShownComment:
    # No token is looked up and no Markdown is rendered: less work than ours.
    author = (await db.scalars(select(User).limit(1))).one()
    now = datetime.datetime.now(datetime.UTC)
    comment = Comment(
        id=uuid.uuid4(), post_id=post_id, author=author, body=new.body, body_html=f"<p>{new.body}</p>", created_at=now
    )
    db.add(comment)
    await db.commit()
    return comment
