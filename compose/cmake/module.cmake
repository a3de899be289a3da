# module(FOLDER [USES MODULE...] [LIBRARIES LIBRARY...] [SOURCES GENERATED...])
#
# Creates a static library from the C files of FOLDER, named after the folder (worker/lanes: worker_lanes).
# The library may use the modules that USES names, and the modules that those use. Two checks enforce
# this: the target check_<library> links the whole library against these modules alone, so that a call of
# any other module is an undefined symbol; and tests/lint compares each #include with USES.

set(CHECK_MAIN ${CMAKE_BINARY_DIR}/check_main.c)
file(CONFIGURE OUTPUT ${CHECK_MAIN} CONTENT "int main(void)\n{\n\treturn 0;\n}\n")

function(module folder)
	cmake_parse_arguments(PARSE_ARGV 1 MODULE "" "" "USES;LIBRARIES;SOURCES")
	if(MODULE_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "module(${folder}): unknown words ${MODULE_UNPARSED_ARGUMENTS}")
	endif()
	string(REPLACE "/" "_" name ${folder})
	string(REPLACE "/" "_" uses "${MODULE_USES}")
	foreach(used ${uses})
		if(NOT TARGET ${used})
			message(FATAL_ERROR "module(${folder}) uses ${used}, which no module() above declares")
		endif()
	endforeach()

	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
	add_library(${name} STATIC ${sources} ${MODULE_SOURCES})
	add_dependencies(${name} generated)
	target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${GENERATED})
	target_link_libraries(${name} PUBLIC ${uses} ${MODULE_LIBRARIES})

	add_executable(check_${name} ${CHECK_MAIN})
	set_target_properties(check_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/check)
	target_link_libraries(check_${name} PRIVATE -Wl,--whole-archive $<TARGET_FILE:${name}>
		-Wl,--no-whole-archive ${uses} ${MODULE_LIBRARIES})
	add_dependencies(check_${name} ${name})
endfunction()
