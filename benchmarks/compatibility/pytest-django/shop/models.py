from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=20, unique=True)
    price = models.IntegerField()

    def __str__(self):
        return self.name
