from django.http import JsonResponse
from django.urls import path

from shop.models import Item


def prices(request):
    return JsonResponse(dict(Item.objects.values_list("name", "price")))


urlpatterns = [path("prices/", prices)]
