"""The same reads and one write in Django REST framework, in one file: settings, models, serializers, views."""

import os
import uuid

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="of a benchmark",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="blog",
        USE_TZ=True,
        USE_I18N=False,
        MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
        INSTALLED_APPS=["rest_framework"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": "127.0.0.1",
                "PORT": os.environ["PGPORT"],
                "USER": "blog",
                "NAME": os.environ["PGDATABASE"],
                "CONN_MAX_AGE": None,
                "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
            }
        },
        REST_FRAMEWORK={
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "UNAUTHENTICATED_USER": None,
        },
    )
    django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402 (only with settings)
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework import generics, pagination, serializers  # noqa: E402


class Table(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        app_label = "blog"
        managed = False


class User(Table):
    username = models.TextField()

    class Meta(Table.Meta):
        db_table = "users"


class Post(Table):
    author = models.ForeignKey(User, models.PROTECT)
    slug = models.TextField(unique=True)
    title = models.TextField()
    summary = models.TextField()
    body = models.TextField()
    body_html = models.TextField()
    tags = ArrayField(models.TextField())
    status = models.TextField()
    updated_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "posts"


class Comment(Table):
    post = models.ForeignKey(Post, models.CASCADE)
    author = models.ForeignKey(User, models.PROTECT)
    body = models.TextField()
    body_html = models.TextField()

    class Meta(Table.Meta):
        db_table = "comments"


class AuthorSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username"]


class SummarySerializer(serializers.ModelSerializer):
    author = AuthorSerializer()

    class Meta:
        model = Post
        fields = [
            "id",
            "slug",
            "title",
            "summary",
            "tags",
            "status",
            "created_at",
            "updated_at",
            "published_at",
            "author",
        ]


class PostSerializer(SummarySerializer):
    class Meta(SummarySerializer.Meta):
        fields = [*SummarySerializer.Meta.fields, "body", "body_html"]


class CommentSerializer(serializers.ModelSerializer):
    author = AuthorSerializer(read_only=True)

    class Meta:
        model = Comment
        fields = ["id", "post_id", "body", "body_html", "created_at", "author"]
        read_only_fields = ["body_html", "created_at"]


class Pages(pagination.CursorPagination):
    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100


class NewestFirst(Pages):
    ordering = ("-published_at", "-id")


class OldestFirst(Pages):
    ordering = ("created_at", "id")


class PostList(generics.ListAPIView):
    queryset = (
        Post.objects.filter(status="published")
        .select_related("author")
        .defer("body", "body_html", "author__created_at")
    )
    serializer_class = SummarySerializer
    pagination_class = NewestFirst


class PostDetail(generics.RetrieveAPIView):
    queryset = Post.objects.filter(status="published").select_related("author").defer("author__created_at")
    serializer_class = PostSerializer


class CommentList(generics.ListCreateAPIView):
    serializer_class = CommentSerializer
    pagination_class = OldestFirst

    def get_queryset(self):
        return Comment.objects.filter(post_id=self.kwargs["pk"]).select_related("author").defer("author__created_at")

    def perform_create(self, serializer):
        # No token is looked up and no Markdown is rendered: less work than ours.
        html = f"<p>{serializer.validated_data['body']}</p>"
        serializer.save(post_id=self.kwargs["pk"], author=User.objects.first(), body_html=html)


def health(_request):
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("health", health),
    path("v1/posts", PostList.as_view()),
    path("v1/posts/<uuid:pk>", PostDetail.as_view()),
    path("v1/posts/<uuid:pk>/comments", CommentList.as_view()),
]
application = get_wsgi_application()
