/*
 * setting.c - helpers for settings of libconfig
 */
#include "worker/config/setting.h"

#include "schemas/base/alloc.h"
#include "worker/config/list.h"

bool config_setting_is_sequence(const config_setting_t *setting)
{
	return config_setting_is_array(setting) || config_setting_is_list(setting);
}

bool config_setting_texts(const config_setting_t *setting, struct config_list *list)
{
	if (!config_setting_is_sequence(setting))
		return false;
	for (int i = 0; i < config_setting_length(setting); i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (!text) {
			config_list_clear(list);
			return false;
		}
		config_list_add(list, alloc_copy(text));
	}
	return true;
}
